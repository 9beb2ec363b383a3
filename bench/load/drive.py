"""Send scheduled requests over a bounded number of connections, and note when each came, went and was answered.

Knows nothing of HTTP or of figures. Open loop: a request that finds every connection taken waits, and its time
runs from the moment it was scheduled, so a slow server cannot slow the schedule down and look better for it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from bench.load.wire import Broken, Connection, Reply, Target

LOST = 0  # the status of a request without a whole answer


class Sample(NamedTuple):
    """One request; seconds since the start of the schedule."""

    scheduled: float
    sent: float
    ended: float
    status: int
    size: int  # bytes of the answer's body
    waited: bool = False  # it found every connection taken

    @property
    def latency(self) -> float:
        """Seconds from when it was to be sent, not from when it was."""
        return self.ended - self.scheduled


class Line(Protocol):
    """A client that asks one thing at a time; see `bench.load.wire.Connection`."""

    async def ask(self, request: bytes) -> Reply: ...

    def close(self) -> None: ...


class _Drive:
    """One run: free connections, those who wait for one, and the samples so far."""

    def __init__(self, lines: Sequence[Line], requests: Sequence[bytes], at: np.ndarray, timeout: float) -> None:
        self.free, self.waiting = list(lines), deque[int]()
        self.requests, self.at, self.timeout = requests, at, timeout
        self.samples: list[Sample | None] = [None] * len(at)
        self.asking: set[asyncio.Task[None]] = set()
        self.began = time.monotonic()

    async def run(self) -> list[Sample]:
        """Keep to the schedule, then wait for those still asking."""
        for i, at in enumerate(self.at.tolist()):
            ahead = self.began + at - time.monotonic()
            if ahead > 0:
                await asyncio.sleep(ahead)
            elif i % 64 == 0:
                await asyncio.sleep(0)  # late: those who ask must still get a turn
            self._send(i)
        while self.asking:
            await asyncio.gather(*self.asking)
        return [one for one in self.samples if one is not None]

    def _send(self, i: int) -> None:
        if not self.free:
            self.waiting.append(i)
            return
        task = asyncio.create_task(self._ask(self.free.pop(), i))
        self.asking.add(task)
        task.add_done_callback(self.asking.discard)

    async def _ask(self, line: Line, first: int) -> None:
        """Ask one, then all who wait, on one connection."""
        i, waited = first, False
        while True:
            sent = time.monotonic() - self.began
            try:
                async with asyncio.timeout(self.timeout):
                    status, body = await line.ask(self.requests[i])
            except (Broken, TimeoutError):
                line.close()
                status, body = LOST, b""
            ended = time.monotonic() - self.began
            self.samples[i] = Sample(float(self.at[i]), sent, ended, status, len(body), waited)
            if not self.waiting:
                break
            i, waited = self.waiting.popleft(), True
        self.free.append(line)


async def send(lines: Sequence[Line], requests: Sequence[bytes], at: np.ndarray, timeout: float) -> list[Sample]:  # noqa: ASYNC109  of each request, not of the call
    """Send request i at second at[i]; the samples in the order of the schedule. timeout: seconds from being sent."""
    return await _Drive(lines, requests, at, timeout).run()


def drive(
    where: Target, requests: Sequence[bytes], at: np.ndarray, *, connections: int, timeout: float
) -> list[Sample]:
    """`send` over so many connections to one server, from start to end."""

    async def whole() -> list[Sample]:
        lines = [Connection(where) for _ in range(connections)]
        try:
            return await send(lines, requests, at, timeout)
        finally:
            for line in lines:
                line.close()

    return asyncio.run(whole())
