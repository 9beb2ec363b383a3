"""Clients in a closed loop: each asks, waits for the answer, and asks again; what became of every request is counted.

Knows nothing of what is done to the server meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bench.load.drive import LOST
from bench.load.points import percentile
from bench.load.wire import Broken, Connection, Target

REFUSED = (429, 503)  # told at the door: not accepted, so not lost either
MODEL = re.compile(rb'"model":"([^"]*)"')
TIMEOUT = 60.0  # seconds: longer than the service itself lets anybody wait


class Fate(NamedTuple):
    """What became of one request. Times are time.monotonic() seconds."""

    sent: float
    ended: float
    status: int  # 0: no whole answer
    models: frozenset[str] = frozenset()  # that the answer names; several events of a stream name the same

    @property
    def lost(self) -> bool:
        """Whether it was accepted, and has no answer."""
        return self.status != 200 and self.status not in REFUSED


class Asked:
    """Requests for a target, in turn; every fourth wants to hear the answer word by word, unless none is to."""

    def __init__(
        self, where: Target, texts: Sequence[str], beam: int | None = None, *, streams: bool = True, **how: Any
    ) -> None:
        """how: other fields of every request."""
        self.where = where
        how |= {"beam_size": beam} if beam else {}
        self.plain = [where.request(json.dumps({"text": text, **how}).encode()) for text in texts]
        self.streams = [where.request(json.dumps({"text": text, **how, "stream": True}).encode()) for text in texts]
        self.turns = itertools.cycle([False, False, False, streams])
        self.places = itertools.cycle(range(len(texts)))

    def next(self) -> tuple[bytes, bool]:
        """A request, and whether it streams."""
        streams = next(self.turns)
        return (self.streams if streams else self.plain)[next(self.places)], streams


@dataclass
class Crowd:
    """So many clients, and the fates of their requests."""

    asked: Asked
    clients: int
    fates: list[Fate] = field(default_factory=list)
    leaving: bool = False

    async def load(self, seconds: float) -> None:
        """Ask for so long, then wait for the answers to what was asked."""
        lines = [asyncio.create_task(self._client()) for _ in range(self.clients)]
        await asyncio.wait(lines, timeout=seconds)
        self.leaving = True
        await asyncio.gather(*lines)

    async def _client(self) -> None:
        line = Connection(self.asked.where)
        while not self.leaving:
            fate = await once(line, *self.asked.next())
            self.fates.append(fate)
            if fate.status != 200:
                await asyncio.sleep(0.1)  # where nobody listens any more this would spin
        line.close()

    def answered_since(self, moment: float) -> bool:
        """Whether anybody got an answer after this."""
        return any(one.status == 200 and one.ended > moment for one in reversed(self.fates[-100:]))

    def summary(self) -> dict[str, float]:
        """Counts and milliseconds."""
        statuses = Counter(one.status for one in self.fates)
        fine = [1e3 * (one.ended - one.sent) for one in self.fates if one.status == 200]
        return {
            "requests": len(self.fates),
            "answered": statuses[200],
            "refused": sum(statuses[status] for status in REFUSED),
            "lost": sum(one.lost for one in self.fates),
            "p50_ms": round(percentile(fine, 0.5), 1),
            "longest_ms": round(max(fine, default=0.0), 1),
        }


async def once(line: Connection, request: bytes, streams: bool) -> Fate:
    """Ask one thing."""
    sent, body = time.monotonic(), b""
    try:
        async with asyncio.timeout(TIMEOUT):
            status, body = await line.ask(request)
        if streams and status == 200 and b"event: done" not in body:
            status = LOST  # it began well, and broke off
    except (Broken, TimeoutError):
        line.close()
        status = LOST
    return Fate(sent, time.monotonic(), status, frozenset(name.decode() for name in MODEL.findall(body)))
