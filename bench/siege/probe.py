"""Ordinary requests, each on a connection of its own, at the times of a Poisson process: how long each took.

Knows nothing of attacks.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import NamedTuple

from bench.load.wire import Broken, Connection, Target

TEXTS = ("a small dog runs across the grass", "two children play with a red ball in the park", "a man reads a book")
TIMEOUT = 30.0


class Seen(NamedTuple):
    """One request; status 0: no whole answer."""

    seconds: float
    status: int


async def probe(where: Target, rate: float, seconds: float) -> list[Seen]:
    """Ask for so long; wait for every answer."""
    draw, asked = random.Random(1), list[asyncio.Task[Seen]]()  # noqa: S311  nothing secret
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        while (now := time.monotonic()) < until:
            asked.append(group.create_task(_once(where, TEXTS[len(asked) % len(TEXTS)])))
            await asyncio.sleep(min(draw.expovariate(rate), max(0.0, until - now)))
    return [one.result() for one in asked]


async def _once(where: Target, text: str) -> Seen:
    line, began = Connection(where), time.monotonic()
    try:
        async with asyncio.timeout(TIMEOUT):
            status = (await line.ask(where.request(json.dumps({"text": text}).encode()))).status
    except (Broken, TimeoutError):
        status = 0
    finally:
        line.close()
    return Seen(time.monotonic() - began, status)
