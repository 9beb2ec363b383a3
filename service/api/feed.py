"""The jobs of one order at work: what the engine says of each goes into its `Live`, and whoever waits is woken.

Knows nothing of HTTP. Nobody is ever waited for here: a slow client costs the engine nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial

from service.api.order import Order
from service.api.window import patiently
from service.messages import Done, Event, Failed, Job, Link, Tokens


class Feed:
    """`failure` is the first that befell any of the jobs; what was heard before is still worth telling."""

    def __init__(self, order: Order, ended: Callable[[int, list[Done]], None]) -> None:
        self.order, self.lives, self.ended = order, order.lives(), ended
        self.ends: dict[int, list[Done]] = {}  # of those inputs of which everything is done
        self.failure: Exception | None = None
        self.changed = asyncio.Event()

    async def change(self, seconds: float) -> bool:
        """Wait for something new; False if nothing came for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return False
        self.changed.clear()
        return True

    def check(self) -> None:
        """Raises: the first failure."""
        if self.failure is not None:
            raise self.failure

    async def listen(self, link: Link, place: int) -> None:
        """Follow one input's jobs to their end; leaving frees their slots at once."""
        done: list[Done] = []
        try:
            while (job := self.order.job(place, done)) is not None:
                follow = partial(self._follow, link, job, place, done)
                await (patiently(follow) if done or self.order.goes_on(place) else follow())
            self.ends[place] = done
            self.ended(place, done)
        except Exception as failure:  # noqa: BLE001 - whoever tells the client raises it
            self.failure = self.failure or failure
        finally:
            self.changed.set()

    async def _follow(self, link: Link, job: Job, place: int, done: list[Done]) -> None:
        events = link.submit(job)
        async with aclosing(events):
            async for event in events:
                self._hear(place, self.order.heard(place, done, event), done, streams=job.options.stream)
        if not done or done[-1].job != job.id:
            raise RuntimeError("the link ended a job without Done or Failed")

    def _hear(self, place: int, event: Event, done: list[Done], *, streams: bool) -> None:
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Tokens):
            self.lives[place].hear(event)
        elif isinstance(event, Done):
            done.append(event)
            if streams:
                self.lives[place].finish(event)
        self.changed.set()


@asynccontextmanager
async def at_work(
    link: Link, order: Order, ended: Callable[[int, list[Done]], None], seats: int
) -> AsyncIterator[Feed]:
    """The order's jobs, so many at a time; those that are not done in the end are cancelled. ended: told of each end.

    Raises:
        HeedError: the link refused one, at its first step.
    """
    feed = Feed(order, ended)
    left = iter(range(len(order.encoded)))

    async def one_after_the_other() -> None:
        for place in left:
            if feed.failure is None:
                await feed.listen(link, place)

    listening = [asyncio.create_task(one_after_the_other()) for _ in range(min(len(order.encoded), seats))]
    try:
        await asyncio.sleep(0)  # each takes its first step
        feed.check()
        yield feed
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
