"""How streams end, or do not begin: refusals, failures, deadlines, drains, and clients who do not read."""

from __future__ import annotations

import asyncio

import pytest

from service.errors import DeadlinePassed, Draining, EngineFailed, NotReady, QueueFull, UnknownModel
from service.tasks.live import MOST
from tests.api.asking import GOOD, problem, still_answers
from tests.api.conftest import client_of
from tests.api.raw import Raw, until
from tests.api.sse import EVENTS, only, streamed

pytestmark = pytest.mark.anyio

REFUSALS = [
    (QueueFull(limit=7, retry_after=3), 429, "3"),
    (NotReady(), 503, "5"),
    (Draining(), 503, "5"),
    (UnknownModel("gone"), 404, None),
    (DeadlinePassed("late"), 504, None),
]
BAD = [
    ({"text": ""}, 422, "text_empty"),
    ({"model": "x"}, 404, "unknown_model"),
    ({"beam_size": 99}, 422, "invalid_request"),
]


@pytest.mark.parametrize(("error", "status", "after"), REFUSALS, ids=[error.code for error, *_ in REFUSALS])
@pytest.mark.parametrize("stream", [True, False])
async def test_what_the_engine_refuses_is_an_ordinary_problem(client, link, error, status, after, stream) -> None:
    link.refusal = error
    answer = await client.post("/v1/translate", json={**GOOD, "stream": stream})
    problem(answer, status, error.code)
    assert answer.headers.get("retry-after") == after
    link.refusal = None
    await still_answers(client)


@pytest.mark.parametrize(("changes", "status", "code"), BAD)
async def test_a_bad_request_for_a_stream_is_an_ordinary_problem(client, link, changes, status, code) -> None:
    problem(await client.post("/v1/translate", json={**GOOD, **changes}, headers={"accept": EVENTS}), status, code)
    assert not link.jobs


async def test_one_text_that_is_refused_takes_the_others_with_it(client, link, monkeypatch) -> None:
    submit, asked = link.submit, []

    def every_second(job):
        asked.append(job)
        link.refusal = None if len(asked) % 2 else QueueFull(retry_after=1)
        return submit(job)

    monkeypatch.setattr(link, "submit", every_second)
    answer = await client.post("/v1/translate", json={**GOOD, "text": ["house", "ball"], "stream": True})
    problem(answer, 429, "queue_full")
    assert not link.seated


async def test_a_failure_on_the_way_is_the_last_event_after_the_tokens_before_it(client, link) -> None:
    link.error = EngineFailed("the loop died")
    said = await streamed(client, beam_size=1)
    assert [one.event for one in said] == ["start", "token", "token", "token", "token", "error"]
    told = said[-1].data
    assert (told["status"], told["code"], told["detail"]) == (500, "engine_failed", "the loop died")
    assert told["request_id"] == said[0].data["id"]
    link.error = None
    await still_answers(client)


async def test_an_error_nobody_foresaw_shows_nothing_in_a_stream_either(client, link, caplog) -> None:
    link.error = ValueError("swordfish house")
    said = await streamed(client, beam_size=1)
    assert said[-1].data["code"] == "internal_error"
    assert "ValueError" in caplog.text
    assert "swordfish" not in caplog.text + str(said)


async def test_a_failure_of_one_text_ends_the_whole_stream_and_leaves_nobody_seated(client, link) -> None:
    link.halt, link.error = 1, EngineFailed()  # the first text has a second token, before which it hangs
    said = await streamed(client, text=["the old house", "a"], beam_size=1)
    assert said[-1].event == "error"
    assert not only(said, "done")
    assert link.cancelled == [link.jobs[0].id]
    assert not link.seated


async def test_a_deadline_that_passes_in_a_stream_is_its_last_event(link) -> None:
    link.halt = 2
    async with client_of(link, deadline_seconds=-0.8) as client:  # the second of grace is nearly over
        said = await streamed(client, beam_size=1)
    assert [one.event for one in said] == ["start", "token", "token", "error"]
    assert (said[-1].data["status"], said[-1].data["code"]) == (504, "deadline_exceeded")
    assert link.cancelled == [job.id for job in link.jobs]


async def test_a_silent_stream_is_pinged(link) -> None:
    link.halt = 1
    async with client_of(link, deadline_seconds=-0.7, ping_seconds=0.01) as client:
        answer = await client.post("/v1/translate", json={**GOOD, "stream": True})
    assert answer.text.count("\n\n: ping\n\n") > 2


async def test_a_drain_ends_the_streams_that_are_not_ready_with_an_error(link) -> None:
    link.halt = 2
    maker = client_of(link)
    async with maker:
        raw = Raw(maker.app, stream=True, beam_size=1)
        await raw.said(3)
        await link.drain(0)
        await raw.over()
    assert [one.event for one in raw.events()] == ["start", "token", "token", "error"]
    assert raw.events()[-1].data["code"] == "draining"
    assert raw.complete


async def test_a_slow_reader_gets_every_token_once_it_reads_and_costs_the_engine_nothing(link) -> None:
    maker, text = client_of(link), "two children play with a red ball in the park near a small house, the old river"
    async with maker:
        raw = Raw(maker.app, stream=True, beam_size=1, text=text)
        raw.reads.clear()
        await link.arrivals(1)
        await until(lambda: not link.seated)
        raw.reads.set()
        await raw.over()
    said = raw.events()
    assert "".join(one["text"] for one in only(said, "token")) == text
    assert len(only(said, "token")) > MOST
    assert said[-1].event == "done"


async def test_a_slow_reader_of_a_beam_is_told_only_what_still_stands(link) -> None:
    maker = client_of(link)
    link.halt = 4
    async with maker:
        raw = Raw(maker.app, stream=True, beam_size=2)
        raw.reads.clear()
        await link.arrivals(1)
        await raw.tried(1)
        for _ in range(10):
            await asyncio.sleep(0)  # four steps are taken
        raw.reads.set()
        await raw.said(2)
        raw.leave()
        await raw.over()
    (one,) = only(raw.events(), "hypothesis")
    assert (one["kept"], one["text"]) == (0, "the old ho")


async def test_who_never_reads_is_given_up_at_the_deadline(link) -> None:
    maker = client_of(link, deadline_seconds=-0.9)
    async with maker:
        raw = Raw(maker.app, stream=True)
        raw.reads.clear()
        await raw.over()
        await still_answers(maker.client)
    assert not raw.complete
    assert not link.seated


async def test_a_server_whose_send_fails_is_a_client_that_left(link, caplog) -> None:
    link.halt = 1
    maker = client_of(link)
    async with maker:
        raw = Raw(maker.app, stream=True, fails=True)
        await raw.over()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert link.cancelled == [link.jobs[0].id]
    assert not link.seated


async def test_a_stream_holds_its_place_until_its_end(link) -> None:
    link.halt = 1
    maker = client_of(link, max_requests=1)
    async with maker:
        raw = Raw(maker.app, stream=True)
        await raw.said(1)
        told = await maker.client.post("/v1/translate", json=GOOD)
        problem(told, 429, "queue_full")
        assert told.headers["retry-after"] == "1"
        raw.leave()
        await raw.over()
        await still_answers(maker.client)
