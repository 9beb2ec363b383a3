"""Many sentences of one request: so many at a time are in the engines, and where one ends the next one begins.

Knows nothing of HTTP and of what a sentence is. A table stays full, and a book does not fill the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.errors import QueueFull

T = TypeVar("T")
PAUSE = 0.05  # seconds until somebody whom a full queue refused asks again


async def each(number: int, seats: int, work: Callable[[int], Awaitable[T]]) -> list[T]:
    """What comes of work on 0, 1, 2, …, so many at a time; the first failure cancels the others."""
    done: dict[int, T] = {}
    left = iter(range(number))

    async def one_after_the_other() -> None:
        for place in left:
            done[place] = await work(place)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(number, seats)):
                group.create_task(one_after_the_other())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [done[place] for place in range(number)]


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """What comes of work that a full queue may refuse for a while; whoever waits for it sets the bound."""
    while True:
        try:
            return await work()
        except QueueFull:
            await asyncio.sleep(PAUSE)
