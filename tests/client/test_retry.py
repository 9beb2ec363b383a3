"""What is tried again and when, what is not, and what an error tells: both clients before answers that are made up."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from client import Broken, HeedError, Refused, Retry, Unavailable, Unreachable
from client.retry import retry_after
from tests.client.conftest import Answering, following, got

pytestmark = pytest.mark.anyio
GOOD: dict[str, Any] = {
    "id": "1",
    "model": "m@1",
    "timings": {},
    "results": [{"text": "Haus", "score": -0.1, "finish_reason": "stop"}],
}
GOOD_ANSWER = httpx.Response(200, json=GOOD)
START = {"input": 0, "id": "1", "model": "m@1", "keys": {"type": "text", "items": []}}


def refused(status: int, code: str, after: str | None = None, **problem) -> httpx.Response:
    headers = {"x-request-id": "abc"} | ({} if after is None else {"retry-after": after})
    return httpx.Response(status, json={"code": code, "detail": "why", **problem}, headers=headers)


def event(name: str, **data) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


async def test_who_is_told_when_to_come_again_comes_then_and_a_little_later(connect) -> None:
    answering = Answering(refused(429, "queue_full", "2"), refused(503, "draining", "4"), GOOD_ANSWER)
    heed = connect(**answering.options(connect))
    assert (await got(heed.translate("house"))).text == "Haus"
    assert answering.waits == [2 * 1.125, 4 * 1.125]  # chance is one half: half of a quarter more
    assert len({request.content for request in answering.requests}) == 1


async def test_without_a_time_waits_double_and_are_bounded(connect) -> None:
    answering = Answering(refused(503, "model_not_ready"))
    heed = connect(retry=Retry(attempts=6, first=1, most=3), **answering.options(connect))
    with pytest.raises(Unavailable) as given_up:
        await got(heed.translate("house"))
    assert answering.waits == [0.5, 1, 1.5, 1.5, 1.5]
    assert len(answering.requests) == 6
    assert given_up.value.code == "model_not_ready"


async def test_a_time_too_far_off_is_told_and_not_waited_for(connect) -> None:
    answering = Answering(refused(429, "rate_limited", "3600"))
    with pytest.raises(Unavailable) as told:
        await got(connect(**answering.options(connect)).translate("house"))
    assert (told.value.retry_after, told.value.request_id, answering.waits) == (3600, "abc", [])


async def test_a_connection_that_was_never_made_is_made_again(connect) -> None:
    answering = Answering(httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), GOOD_ANSWER)
    assert (await got(connect(**answering.options(connect)).translate("house"))).text == "Haus"
    assert answering.waits == [0.25, 0.5]


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (httpx.ReadTimeout("slow"), Unreachable, "timed_out"),  # it had been sent
        (httpx.RemoteProtocolError("gone"), Unreachable, "unreachable"),
        (refused(504, "deadline_exceeded"), Unavailable, "deadline_exceeded"),
        (refused(500, "engine_failed"), Broken, "engine_failed"),
        (refused(403, "key_refused"), Refused, "key_refused"),
        (httpx.Response(502, text="<html>Bad Gateway</html>"), Broken, "http_502"),
        (httpx.Response(302, headers={"location": "http://elsewhere"}), Broken, "http_302"),
        (httpx.Response(200, text="hello"), Broken, "unreadable_answer"),
        (httpx.Response(200, json={"id": "1", "results": []}), Broken, "unreadable_answer"),
        (httpx.Response(200, json=GOOD | {"results": [{"text": 7}]}), Broken, "unreadable_answer"),
    ],
)
async def test_what_may_have_been_begun_with_is_not_sent_again(connect, answer, error, code) -> None:
    answering = Answering(answer)
    with pytest.raises(HeedError) as told:
        await got(connect(**answering.options(connect)).translate("house"))
    assert (type(told.value), told.value.code) == (error, code)
    assert (len(answering.requests), answering.waits) == (1, [])


async def test_health_is_told_as_it_is(connect) -> None:
    answering = Answering(refused(503, "model_not_ready", "1"))
    with pytest.raises(Unavailable):
        await got(connect(**answering.options(connect)).health())
    assert len(answering.requests) == 1


async def test_a_key_goes_into_every_request_and_into_no_error(connect, monkeypatch) -> None:
    answering = Answering(refused(401, "key_missing"))
    monkeypatch.setenv("HEED_KEY", "from-the-environment")
    for options in ({"key": "given"}, {}):
        with pytest.raises(Refused) as told:
            await got(connect("http://heed/below/", **options, **answering.options(connect)).translate("house"))
        assert "given" not in repr(vars(told.value)) + str(told.value)
    sent = [(request.headers["authorization"], str(request.url)) for request in answering.requests]
    address = "http://heed/below/v1/translate"
    assert sent == [("Bearer given", address), ("Bearer from-the-environment", address)]


async def test_a_stream_is_tried_again_until_it_has_begun(connect) -> None:
    done = {key: GOOD[key] for key in ("id", "model", "timings")} | GOOD["results"][0]
    told = event("start", **START) + event("newer", anything=1) + event("done", input=0, **done)
    answering = Answering(refused(429, "queue_full", "1"), httpx.Response(200, content=told))
    events = [one async for one in following(connect(**answering.options(connect)).stream_translate("house"))]
    assert [type(one).__name__ for one in events] == ["Start", "Done"]
    assert answering.waits == [1.125]
    assert answering.requests[0].headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("content", "error", "code"),
    [
        (event("start", **START), Unreachable, "cut_off"),
        (b"", Unreachable, "cut_off"),
        (event("start", **START) + event("error", code="draining", status=503, detail="bye"), Unavailable, "draining"),
        (event("start", input=0), Broken, "unreadable_answer"),
        (b"event: start\ndata: {\n\n", Broken, "unreadable_answer"),
    ],
)
async def test_a_stream_that_ends_badly_says_so(connect, content, error, code) -> None:
    answering = Answering(httpx.Response(200, content=content))
    stream = connect(**answering.options(connect)).stream_translate("house")
    heard: list[Any] = []

    async def listened() -> None:
        async for one in following(stream):
            heard.append(one)  # noqa: PERF401 - until the error

    with pytest.raises(HeedError) as told:
        await listened()
    assert (type(told.value), told.value.code, len(answering.requests)) == (error, code, 1)
    assert len(heard) == content.count(b'"model"')
    assert stream.streamed.over


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50),
        ("Wed, 31 Dec 1969 00:00:00 GMT", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_a_time_to_come_again_is_seconds_or_a_date(header, seconds) -> None:
    assert retry_after(header, now=10) == seconds
