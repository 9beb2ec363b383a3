"""Chaos: workers are killed, stopped and poisoned while they work, and every job has its own right answer all the same.

The engine is real and the bundle echoes, so that a mix-up between guests shows. No time is asserted anywhere.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import pytest

from service.errors import Draining, EngineFailed, HeedError, QueueFull, UnknownModel
from service.link import supervisor
from service.messages import Done, Failed, Tokens
from tests.link import accidents
from tests.link.asking import PATIENCE, RISKY, alive, beginning, echoed, guest, started, told, until, worker

pytestmark = pytest.mark.anyio


async def test_a_hundred_jobs_of_all_kinds_each_get_their_own_answer_from_two_workers(toys: Path) -> None:
    async with started(toys, engines=2) as link:
        assert link.ready()
        assert list(link.bundles) == ["toy-echo"]
        guests = [guest(i, 5 + i % 30, beam_size=1 + i % 3, stream=i % 2 == 0) for i in range(100)]
        for one, (said, best) in zip(guests, await asyncio.gather(*(told(link, one) for one in guests)), strict=True):
            heard = len(one.inputs["source"]) - 1  # a step that ends the search is not told; Done is
            assert said[:heard] == (list(best.ids)[:heard] if one.options.stream else [])
        assert all(worker(link, place).answers >= 30 for place in (0, 1)), "both had their share"
        assert not link.book.entries and not link.book.load


async def test_kill_9_with_a_hundred_jobs_in_flight_loses_none(toys: Path, tmp_path, caplog) -> None:
    caplog.set_level(logging.INFO, "heed.link")
    blocked = tmp_path / "blocked"
    async with started(toys, RISKY, {accidents.BLOCKED: str(blocked)}, engines=2) as link:
        waiting = [asyncio.create_task(told(link, guest(i))) for i in range(100)]
        await until(lambda: worker(link).answers)
        blocked.write_text("hang")  # no new worker comes in: the other one has to do it
        dead, survivor = worker(link), worker(link, 1)
        left = [entry for entry in link.book.entries.values() if entry.worker is dead]
        assert len(left) > 10, "it is killed while it has work"
        dead.kill()
        await asyncio.gather(*waiting)
        assert link.ready() and worker(link, 1) is survivor
        assert dead.answers + survivor.answers == 100
        assert f"worker {dead.pid} died: signal 9 (SIGKILL); {len(left)} unfinished jobs" in caplog.text
        blocked.unlink()
        await until(lambda: link.supervisors[0].child and link.supervisors[0].child.open)
        assert "guest" not in caplog.text and "[" not in caplog.text, "no text, no pieces"


async def test_with_no_worker_left_jobs_wait_for_the_next(toys: Path) -> None:
    async with started(toys) as link:
        worker(link).kill()
        await until(lambda: not link.ready())
        assert len(await asyncio.gather(*(told(link, guest(i)) for i in range(5)))) == 5
        assert link.ready()


async def test_a_stream_goes_on_where_it_was_when_its_worker_died(toys: Path) -> None:
    async with started(toys, RISKY, {accidents.STEP: "0.03"}) as link:
        for beam in (1, 3):
            one, said = guest(beam, 30, stream=True, beam_size=beam), list[int]()
            async for event in link.submit(one):
                if isinstance(event, Tokens):
                    assert beam > 1 or event.kept == len(said), "greedy tokens are final"
                    said[event.kept :] = event.ids
                    assert len(event.ids) == len(event.logprobs) == len(event.rows if event.rows is not None else ())
                    if len(said) == 10:
                        worker(link).kill()
                elif isinstance(event, Done):
                    assert said[:30] == list(echoed(one, event).ids)[:30]
                else:
                    raise event.error
            assert link.supervisors[0].restarts == (1 if beam == 1 else 2)


async def test_a_poison_job_is_failed_and_those_who_sat_beside_it_are_answered(toys: Path) -> None:
    async with started(toys, RISKY) as link:
        jobs = [guest(i, 35) for i in range(30)]
        jobs.insert(15, beginning(accidents.POISON))
        ends = await asyncio.gather(*(told(link, one) for one in jobs), return_exceptions=True)
        failed = ends.pop(15)
        assert isinstance(failed, EngineFailed) and "3 workers died" in failed.detail
        assert not [end for end in ends if isinstance(end, BaseException)]
        assert link.supervisors[0].restarts == 3


async def test_a_loop_that_dies_takes_its_worker_along_and_its_jobs_go_elsewhere(toys: Path, tmp_path, caplog) -> None:
    async with started(toys, RISKY, {accidents.BROKE: str(tmp_path / "broke")}) as link:
        others = [asyncio.create_task(told(link, guest(i))) for i in range(30)]
        await told(link, beginning(accidents.BREAKS))
        await asyncio.gather(*others)
        assert link.supervisors[0].restarts == 1
        assert "died: exit code 70" in caplog.text


async def test_a_loop_that_hangs_takes_its_worker_along_though_that_still_beats(toys: Path, tmp_path, caplog) -> None:
    short = {"HEED_HEARTBEAT_SECONDS": "1.0", accidents.BROKE: str(tmp_path / "broke")}  # the front's own is long
    async with started(toys, RISKY, short, attempts=20) as link:
        others = [asyncio.create_task(told(link, guest(i))) for i in range(10)]
        await told(link, beginning(accidents.HANGS))
        await asyncio.gather(*others)
        assert link.supervisors[0].restarts >= 1
        assert "died: exit code 70" in caplog.text


async def test_a_worker_that_stands_still_is_killed_and_replaced(toys: Path, caplog) -> None:
    async with started(toys, heartbeat=1.0, attempts=20) as link:
        silent = worker(link)
        silent.kill(signal.SIGSTOP)
        await asyncio.gather(*(told(link, guest(i)) for i in range(20)))
        assert not alive(silent.pid)
        assert f"worker {silent.pid} has been silent" in caplog.text


async def test_a_worker_that_is_asked_to_leave_finishes_its_work_and_is_replaced(toys: Path, caplog) -> None:
    caplog.set_level(logging.INFO, "heed.link")
    async with started(toys, RISKY, {accidents.STEP: "0.01"}) as link:
        leaver = worker(link)
        waiting = [asyncio.create_task(told(link, guest(i))) for i in range(20)]
        await until(lambda: leaver.answers)
        leaver.kill(signal.SIGTERM)
        await until(lambda: leaver.leaving)
        waiting += [asyncio.create_task(told(link, guest(i))) for i in range(20, 25)]
        await asyncio.gather(*waiting)
        assert leaver.answers == 20
        assert f"worker {leaver.pid} left (exit code 0); 0 jobs" in caplog.text
        assert worker(link).answers == 5
        assert link.supervisors[0].restarts == 0


async def test_what_a_leaving_worker_has_no_time_for_is_done_by_the_next(toys: Path) -> None:
    variables = {accidents.STEP: "0.02", "HEED_DRAIN_SECONDS": "0.2"}
    async with started(toys, RISKY, variables) as link:
        leaver = worker(link)
        waiting = [asyncio.create_task(told(link, guest(i))) for i in range(20)]
        await until(lambda: leaver.answers)
        leaver.kill(signal.SIGTERM)
        await asyncio.gather(*waiting)
        assert worker(link) is not leaver and worker(link).answers > 0
        assert link.supervisors[0].restarts == 0


async def test_ctrl_c_is_not_for_workers(toys: Path) -> None:
    async with started(toys) as link:
        assert os.getsid(worker(link).pid) != os.getsid(0)
        worker(link).kill(signal.SIGINT)
        await told(link, guest(1))
        assert link.supervisors[0].restarts == 0


async def test_a_full_queue_refuses_at_once_says_when_to_come_again_and_serves_on(toys: Path) -> None:
    async with started(toys, RISKY, {accidents.STEP: "0.01"}, queue=20) as link:
        ends = await asyncio.gather(*(told(link, guest(i, beam_size=4)) for i in range(30)), return_exceptions=True)
        refused = [end for end in ends if isinstance(end, QueueFull)]
        assert len(refused) == 30 - 4 - 5, "16 rows are seated, 20 wait"
        assert all(one.limit == one.actual == 20 and one.retry_after == 1 for one in refused)
        assert not [end for end in ends if isinstance(end, BaseException) and end not in refused]
        await told(link, guest(1))


async def test_leaving_the_iterator_frees_the_place_at_the_next_step(toys: Path, tmp_path) -> None:
    journal = tmp_path / "journal"
    async with started(toys, RISKY, {accidents.STEP: "0.1", accidents.JOURNAL: str(journal)}) as link:
        before = len(journal.read_text().splitlines())
        events = link.submit(guest(1, 45, beam_size=16, max_length=46, stream=True))
        assert isinstance(await anext(events), Tokens)
        await events.aclose()
        assert not link.book.entries
        await told(link, guest(2, 3, beam_size=16))
        assert len(journal.read_text().splitlines()) - before < 45, "the first was not computed to its end"


async def test_a_model_that_is_not_there_is_refused(toys: Path) -> None:
    async with started(toys) as link:
        with pytest.raises(UnknownModel):
            async for _ in link.submit(beginning(10).__class__("x", "no-such", {})):
                pass


async def test_draining_under_load_answers_everything_accepted_and_refuses_more(toys: Path) -> None:
    async with started(toys, engines=2) as link:
        pids = [worker(link, place).pid for place in (0, 1)]
        waiting = [asyncio.create_task(told(link, guest(i))) for i in range(100)]
        await until(lambda: link.book.last == 100)  # accepted; the first may have been answered by now
        draining = asyncio.create_task(link.drain(PATIENCE))
        await until(lambda: link.draining)
        assert not link.ready()
        with pytest.raises(Draining):
            await told(link, guest(1))
        assert len(await asyncio.gather(*waiting)) == 100
        await draining
        assert not any(alive(pid) for pid in pids)


async def test_draining_out_of_time_fails_the_rest_and_stops_the_workers(toys: Path) -> None:
    async with started(toys, RISKY, {accidents.STEP: "0.3"}) as link:
        pid = worker(link).pid
        waiting = [asyncio.create_task(told(link, guest(i, 40))) for i in range(10)]
        await until(lambda: len(link.book.entries) == 10)
        await link.drain(0.1)
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(end, Draining) for end in ends), ends
        assert not alive(pid)


async def test_a_worker_that_does_not_stop_is_killed(toys: Path, monkeypatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.2)
    async with started(toys) as link:
        pid = worker(link).pid
        worker(link).kill(signal.SIGSTOP)
        await link.drain(0)
        assert not alive(pid)


async def test_a_failure_of_one_job_comes_back_as_the_error_it_was(toys: Path) -> None:
    async with started(toys) as link:
        wide = guest(1, beam_size=17)  # the table has 16 rows
        events = [event async for event in link.submit(wide)]
        assert [type(event) for event in events] == [Failed]
        assert isinstance(events[0], Failed) and isinstance(events[0].error, HeedError)
        assert events[0].error.code == "malformed_request"
        await told(link, guest(2))
