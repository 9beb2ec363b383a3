"""Engines that listen: fronts share them, find them again, and lose nothing when one of them goes."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundle.zoo import named
from service.engine.catalog import Catalog
from service.engine.session import Session
from service.errors import DeadlinePassed, NotReady
from service.link import remote
from service.link.line import Line
from service.link.listener import Listener
from service.link.remote import Place, RemoteLink
from service.link.words import Ask, Ready
from service.messages import Done, Tokens
from tests.link.asking import PATIENCE, echoed, guest, soon, told, until
from tests.link.listening import ECHO, linked, listening

pytestmark = pytest.mark.anyio


class Slow:
    """How long each step takes at least, and how many there were."""

    seconds = 0.0
    steps = 0


@pytest.fixture(autouse=True)
def slow(monkeypatch) -> Slow:
    step, found = Session.step, Slow()

    def counted(self: Session, *given: Any, **named: Any) -> dict[str, np.ndarray]:
        found.steps += 1
        time.sleep(found.seconds)
        return step(self, *given, **named)

    monkeypatch.setattr(Session, "step", counted)
    monkeypatch.setattr(remote, "SEARCH_SECONDS", 0.01)
    return found


def answers(link: RemoteLink, listener: Listener) -> int:
    line = link.engines.get(listener.place)
    return line.answers if line else 0


async def test_two_fronts_share_two_engines_and_everybody_gets_their_own_answer(toys: Path) -> None:
    with listening(toys) as one, listening(toys) as other:
        places = [one.place, other.place]
        async with linked(toys, places) as front, linked(toys, places) as second:
            assert front.ready() and second.ready()
            await until(lambda: len(front.lines(ECHO)) == len(second.lines(ECHO)) == 2)
            guests = [guest(i, 5 + i % 30, beam_size=1 + i % 3, stream=i % 2 == 0) for i in range(60)]
            await asyncio.gather(*(told(link, one) for one in guests for link in (front, second)))
            assert all(answers(link, listener) for link in (front, second) for listener in (one, other))
            assert not front.book.entries and not second.book.entries


async def test_what_an_engine_had_when_its_line_broke_is_asked_again_elsewhere(toys: Path, slow: Slow) -> None:
    with listening(toys) as one, listening(toys) as other:
        places = [one.place, other.place]
        async with linked(toys, places) as link:
            await until(lambda: len(link.lines(ECHO)) == 2)
            slow.seconds = 0.002
            waiting = [asyncio.create_task(told(link, guest(i, stream=i % 2 == 0))) for i in range(40)]
            await until(lambda: answers(link, one))
            places.remove(one.place)
            lost = link.engines[one.place]
            lost.kill()
            await asyncio.gather(*waiting)
            assert lost.answers and answers(link, other), "both had their share"
            assert link.ready()


async def test_a_line_that_broke_is_made_again_while_the_engine_is_still_said_to_be_there(toys: Path) -> None:
    with listening(toys) as one:
        async with linked(toys, [one.place]) as link:
            first = link.engines[one.place]
            first.kill()
            await until(lambda: not link.ready())
            await told(link, guest(1))
            assert link.ready() and link.engines[one.place] is not first


async def test_readiness_is_off_while_a_model_has_no_engine_and_jobs_wait_no_longer_than_their_deadline(
    toys: Path,
) -> None:
    places: list[Place] = []
    with listening(toys) as one:
        places.append(one.place)
        async with linked(toys, places) as link:
            places.clear()
            link.engines[one.place].kill()
            await until(lambda: not link.ready())
            with pytest.raises(DeadlinePassed):
                await told(link, guest(1, deadline=soon(0.1)))
            patient = asyncio.create_task(told(link, guest(2, deadline=soon(PATIENCE))))
            await until(lambda: link.book.homeless)
            places.append(one.place)
            await patient


async def test_a_start_without_engines_ends_with_an_error(toys: Path, monkeypatch) -> None:
    monkeypatch.setattr(remote, "START_SECONDS", 0.05)
    with pytest.raises(NotReady, match="no engine came for toy-echo@0"):
        async with linked(toys, []):
            pass


async def test_an_engine_that_is_asked_to_leave_finishes_its_work(toys: Path, slow: Slow) -> None:
    with listening(toys) as one, listening(toys) as other:
        async with linked(toys, [one.place, other.place]) as front, linked(toys, [one.place]) as second:
            await until(lambda: len(front.lines(ECHO)) == 2)
            slow.seconds = 0.005
            lines = [front.engines[one.place], second.engines[one.place]]
            waiting = [asyncio.create_task(told(link, guest(i))) for i in range(10) for link in (front, second)]
            await until(lambda: all(line.answers for line in lines))
            await asyncio.to_thread(one.leave, PATIENCE)
            await until(lambda: all(line.gone.done() for line in lines))
            assert all(line.leaving for line in lines)
            assert [line.answers for line in lines] == [5, 10], "what they had is answered by it, not by another"
            await asyncio.gather(*waiting)


async def test_a_front_that_dies_takes_its_jobs_along(toys: Path, slow: Slow) -> None:
    with listening(toys) as one:
        async with linked(toys, [one.place]) as stays:
            slow.seconds, places = 0.05, [one.place]
            async with linked(toys, places) as dies:
                events = dies.submit(guest(1, 45, beam_size=16, max_length=46, stream=True))
                assert isinstance(await anext(events), Tokens)
                places.clear()
                dies.engines[one.place].kill()  # without a word
                before = slow.steps
                await told(stays, guest(2, 3, beam_size=16))
                assert slow.steps - before < 30, "the first was not computed to its end"


async def test_cancelling_frees_the_place_at_the_next_step(toys: Path, slow: Slow) -> None:
    with listening(toys) as one:
        async with linked(toys, [one.place]) as link:
            slow.seconds = 0.05
            events = link.submit(guest(1, 45, beam_size=16, max_length=46, stream=True))
            assert isinstance(await anext(events), Tokens)
            await events.aclose()
            before = slow.steps
            await told(link, guest(2, 3, beam_size=16))
            assert slow.steps - before < 30


async def test_a_deadline_holds_where_another_clock_runs(toys: Path, monkeypatch) -> None:
    seen: list[float] = []
    submit = Catalog.submit

    def noted(self: Catalog, job: Any, sink: Any) -> Any:
        seen.append(job.options.deadline - time.monotonic())
        return submit(self, job, sink)

    monkeypatch.setattr(Catalog, "submit", noted)
    with listening(toys) as one:
        async with linked(toys, [one.place]) as link:
            asked, word = guest(1, deadline=soon(1000)), list[float]()
            tell = Line.tell

            def spied(self: Any, said: Any) -> None:
                word.extend([said.job.options.deadline or 0.0] if isinstance(said, Ask) else [])
                tell(self, said)

            monkeypatch.setattr(Line, "tell", spied)
            await told(link, asked)
    assert 0 < word[0] <= 1000 and 0 < seen[0] <= 1000, "seconds left, not a moment of this machine's clock"


async def test_who_does_not_know_the_token_is_sent_away(toys: Path, caplog) -> None:
    with listening(toys) as one:
        with socket.create_connection(one.place[:2]) as stranger:
            stranger.settimeout(PATIENCE)
            stranger.sendall(b"0" * 64)
            assert stranger.recv(1) == b""
        assert "does not know the token" in caplog.text
        async with linked(toys, [one.place]) as link:
            await told(link, guest(1))


async def test_an_engine_whose_loop_died_says_nothing_more_and_somebody_is_told(toys: Path, monkeypatch) -> None:
    died = threading.Event()
    with listening(toys, died) as one:
        places = [one.place]
        async with linked(toys, places) as link:

            def broken(self: Session, *given: Any, **named: Any) -> dict[str, np.ndarray]:
                places.clear()
                monkeypatch.undo()
                raise RuntimeError("the graph broke")

            monkeypatch.setattr(Session, "step", broken)
            waiting = asyncio.create_task(told(link, guest(1)))
            await until(died.is_set)
            with listening(toys) as other:
                places.append(other.place)
                await waiting


async def test_a_silent_engine_is_given_up_and_its_jobs_go_elsewhere(toys: Path, slow: Slow) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, listening(toys) as one:
        silent = Place("127.0.0.1", deaf.getsockname()[1], "0" * 64)
        async with linked(toys, [silent, one.place], heartbeat=0.5) as link:
            await until(lambda: silent in link.engines)
            line = link.engines[silent]
            line._note(Ready({ECHO: 0}))  # it had said so, before it froze
            ends = [asyncio.create_task(told(link, guest(i))) for i in range(4)]
            await asyncio.gather(*ends)
            await until(line.gone.done)


async def test_nobody_who_knows_where_engines_are_is_a_warning_and_not_the_end(toys: Path, caplog) -> None:
    with listening(toys) as one:
        asked = [0]

        async def whereabouts() -> list[Place]:
            asked[0] += 1
            if asked[0] in (1, 3):
                raise RuntimeError("restarting")
            return [one.place]

        link = RemoteLink(named(toys, ["toy-echo"]), whereabouts, rows=16, queue=99, heartbeat=PATIENCE, attempts=3)
        await asyncio.wait_for(link.start(), PATIENCE)
        await until(lambda: asked[0] > 3)
        async for event in link.submit(guest(1)):
            if isinstance(event, Done):
                echoed(guest(1), event)
        await link.drain(0)
        assert "nobody says where engines are: RuntimeError" in caplog.text
