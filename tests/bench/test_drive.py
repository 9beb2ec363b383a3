"""Requests keep to their schedule, and their time runs from it. Order is asserted, never seconds."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from bench.load.drive import LOST, send
from bench.load.wire import Broken, Reply

NOW = np.zeros(3)
REQUESTS = [b"a", b"b", b"c"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Line:
    """A connection to nobody: `answer` says what comes of a request."""

    def __init__(self, answer) -> None:
        self.answer, self.closed = answer, 0

    async def ask(self, request: bytes) -> Reply:
        reply: Reply = await self.answer(request)
        return reply

    def close(self) -> None:
        self.closed += 1


@pytest.mark.anyio
async def test_a_request_that_waits_for_a_connection_is_as_late_as_the_one_before_it() -> None:
    async def slow_at_first(request: bytes) -> Reply:
        if request == b"a":
            await asyncio.sleep(0.05)
        return Reply(200, b"")

    first, second, third = await send([Line(slow_at_first)], REQUESTS, NOW, 30)
    assert first.latency <= second.latency <= third.latency  # all were due at once; the first held the others up
    assert (first.waited, second.waited, third.waited) == (False, True, True)
    assert second.sent >= first.ended


@pytest.mark.anyio
async def test_the_schedule_does_not_wait_for_answers() -> None:
    other_asked = asyncio.Event()

    async def until_the_next(request: bytes) -> Reply:
        if request == b"a":
            await other_asked.wait()  # a generator that waits for this answer never sends the next
        other_asked.set()
        return Reply(200, b"")

    lines = [Line(until_the_next), Line(until_the_next)]
    samples = await send(lines, REQUESTS, np.array([0.0, 0.01, 0.02]), 30)
    assert [one.status for one in samples] == [200, 200, 200]
    assert [one.scheduled for one in samples] == [0.0, 0.01, 0.02]


@pytest.mark.anyio
async def test_no_more_requests_are_out_than_there_are_connections() -> None:
    out = most = 0

    async def count(request: bytes) -> Reply:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await asyncio.sleep(0)
        out -= 1
        return Reply(200, request)

    samples = await send([Line(count), Line(count)], [b"x"] * 40, np.zeros(40), 30)
    assert most == 2 and len(samples) == 40


@pytest.mark.anyio
async def test_no_answer_and_no_answer_in_time_are_both_lost_and_the_connection_is_used_again() -> None:
    async def bad(request: bytes) -> Reply:
        if request == b"a":
            raise Broken("gone")
        if request == b"b":
            await asyncio.Event().wait()
        return Reply(503, b"busy")

    line = Line(bad)
    samples = await send([line], REQUESTS, NOW, 0.05)
    assert [one.status for one in samples] == [LOST, LOST, 503]
    assert line.closed == 2 and samples[2].size == 4
