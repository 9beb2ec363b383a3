"""The front desk: takes a request to its task, its jobs to the engine, and its answer back, timing each phase.

Knows nothing of HTTP and of any one task. Whatever takes more than a moment runs in a bounded pool of threads; a short
text takes less than handing it over would.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from service.api.order import Order, longest, spent
from service.api.window import each, patiently
from service.errors import DeadlinePassed, Meaningless, QueueFull, UnknownModel, UrlRefused, Where
from service.maps.view import View
from service.messages import Done, Link, answer
from service.pace import Pace
from service.tasks.answer import Result
from service.tasks.contract import Asked, Bounds, Task
from service.telemetry.journal import Journal
from service.telemetry.meter import Meter

T = TypeVar("T")
LIGHT = 1024  # bytes of a body: to answer a text so short takes about half a millisecond, as handing it over does
FEW = 4  # hypotheses of all sentences together, each with its map: as long as all others may wait for one request
Render = Callable[[Sequence[View]], bytes]
Fetches = Callable[[str], Awaitable[bytes]]  # an address to the bytes there
NICE = 10  # of threads that read and draw pictures: a tenth of the share of one that translates
GRACE = 1.0  # seconds after the deadline in which the engine itself may still say that it passed


@dataclass
class Desk:
    """One for the whole service; `held` counts the requests that are inside."""

    link: Link
    bounds: Bounds = field(default_factory=Bounds)
    threads: int = 2
    max_requests: int = 128
    deadline: float = 30.0
    meter: Meter | None = None
    held: int = 0
    max_streams: int = 128
    streams: int = 0
    window: int = 640  # beam rows of one request that are in the engines at a time
    sentence_seconds: float = 0.25  # what each sentence adds to the deadline
    max_sentences: int = 16384  # of all requests that are inside
    sentences: int = 0
    target: float | None = None  # seconds that those inside may be expected to take; None: as max_requests allows
    fetch: Fetches | None = None  # None: no picture is fetched for anybody
    pool: ThreadPoolExecutor = field(init=False)
    studio: ThreadPoolExecutor = field(init=False)  # for pictures and files: texts do not wait for those
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.threads, "desk")
        self.studio = ThreadPoolExecutor(self.threads, "studio", initializer=_yielding)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places there are for requests, from before the body is read.

        Raises:
            QueueFull: all are taken.
        """
        if refusal := self.full():
            raise refusal
        self.held += 1
        self.pace.begin(time.monotonic())
        try:
            yield
        finally:
            self.held -= 1
            now = time.monotonic()
            self.pace.leave(1, now)
            if not self.held:
                self.pace.rest(now)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Hold one of the places there are for streams, which last as long as somebody reads slowly.

        Raises:
            QueueFull: all are taken.
        """
        if self.streams >= self.max_streams:
            raise QueueFull("Too many streams at once.", limit=self.max_streams)
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    def full(self) -> QueueFull | None:
        """Why nobody can be let in now, with the time until a place is free at the pace of the last seconds."""
        now, places = time.monotonic(), self.max_requests
        if self.target is not None and self.held < places:
            places = int(min(places, self.pace.places(self.target, now)))
        if self.held < places:
            return None
        seconds = self.pace.wait(self.held - places + 1, now)
        return QueueFull("Too many requests at once.", limit=places, retry_after=seconds)

    async def ask(
        self, task: Task[Any, Any], parse: Callable[[], Asked], asked_as: str, render: Render | None = None
    ) -> tuple[bytes, Mapping[str, float]]:
        """The answer to a request in one go; see `understand` and `answer`."""
        async with self.understood(task, parse, asked_as) as order:
            return await self.answer(order, render)

    @asynccontextmanager
    async def understood(
        self, task: Task[Any, Any], parse: Callable[[], Asked], asked_as: str, *, size: int | None = None
    ) -> AsyncIterator[Order]:
        """The same as `understand`, and while the order is worked on its model is not unloaded.

        Raises:
            HeedError: see `understand`.
        """
        while True:
            order = await self.understand(task, parse, asked_as, size=size)
            with ExitStack() as held:
                try:
                    for model in order.models:
                        held.enter_context(self.link.hold(model))
                except UnknownModel:
                    continue  # it left in this very moment: who named no version is given the next one
                held.enter_context(self._holding(len(order.encoded)))
                yield order
                return

    @contextmanager
    def _holding(self, sentences: int) -> Iterator[None]:
        """Hold the memory that so many sentences take until their request is answered.

        Raises:
            QueueFull: there is none left, and others hold some.
        """
        if self.sentences and self.sentences + sentences > self.max_sentences:
            raise QueueFull("Too many sentences at once.", limit=self.max_sentences, actual=self.sentences)
        self.sentences += sentences
        try:
            yield
        finally:
            self.sentences -= sentences

    async def understand(
        self, task: Task[Any, Any], parse: Callable[[], Asked], asked_as: str, *, size: int | None = None
    ) -> Order:
        """A request made ready for the engine; asked_as: the answer's id; size: bytes of its body, if known.

        Raises:
            HeedError: it makes no sense, or is beyond a bound.
        """
        began = time.monotonic()
        light = size is not None and size <= LIGHT and task.upload is None

        def prepared(parse: Callable[[], Asked] = parse) -> Order:
            asked, bundles = parse(), self.link.bundles
            bundle = task.choose(asked, bundles)
            encoded = task.encode(asked, bundle, self.bounds, bundles)
            spent = time.monotonic() - began
            journal = Journal(inputs=len(encoded))
            journal.note("prepare", began, began + spent)
            deadline = began + self.deadline + self.sentence_seconds * (len(encoded) - 1)
            order = Order(task, asked, bundle, encoded, asked_as, began, deadline, spent, False, journal)
            return replace(order, light=light and order.maps() <= FEW)

        if light:
            return prepared()
        if task.upload is None:
            return await self.off_loop(prepared)
        whole = await self._fetched(task.upload, await self.off_loop(parse, task), began)
        return await self.off_loop(lambda: prepared(lambda: whole), task)

    async def _fetched(self, upload: str, asked: Asked, began: float) -> Asked:
        """The request with its upload, which may have to come from somewhere else."""
        url = getattr(asked, f"{upload}_url", None)
        if url is None:
            return asked
        if self.fetch is None:
            where = Where(f"/{upload}_url", "is not fetched here")
            raise UrlRefused("This server fetches nothing: send the picture itself.", errors=(where,))
        if getattr(asked, upload) is not None:
            raise Meaningless(
                "Send the picture or its address, not both.", errors=(Where(f"/{upload}_url", "is one too many"),)
            )
        try:
            async with asyncio.timeout(began + self.deadline - time.monotonic()):
                return asked.model_copy(update={upload: await self.fetch(url), f"{upload}_url": None})
        except TimeoutError:
            raise DeadlinePassed(f"The picture did not come within {self.deadline:g} s.") from None

    async def answer(self, order: Order, render: Render | None = None) -> tuple[bytes, Mapping[str, float]]:
        """The answer, drawn or (without a render) as JSON, and seconds by phase.

        Raises:
            HeedError: the engine or the deadline.
        """
        done = await self._answers(order)
        timings = {"prepare": order.prepared, **longest(done)}
        answered = time.monotonic()
        if render is not None:
            body = await self.off_loop(lambda: render(order.views(done)), order.task)
        elif order.light:
            body = order.written(done, timings)
        else:
            body = await self.off_loop(lambda: order.written(done, timings))
        now = time.monotonic()
        order.journal.note("draw", answered, now)
        return body, {**timings, "write": now - answered, "total": now - order.began}

    async def results(self, order: Order) -> list[Result]:
        """The results themselves, for whoever tells them in words of their own.

        Raises:
            HeedError: the engine or the deadline.
        """
        done = await self._answers(order)
        answered = time.monotonic()
        results = order.results(done) if order.light else await self.off_loop(lambda: order.results(done))
        order.journal.note("draw", answered, time.monotonic())
        return results

    def close(self) -> None:
        """Stop the threads; what runs is finished first."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.studio.shutdown(wait=True, cancel_futures=True)

    async def _answers(self, order: Order) -> list[list[Done]]:
        """The ends of every input's jobs, in order; the first failure cancels the others."""
        async with in_time(order):
            if len(order.encoded) == 1:
                return [await self._course(order, 0)]
            return await each(len(order.encoded), order.seats(self.window), partial(self._course, order))

    async def _course(self, order: Order, place: int) -> list[Done]:
        """One input's jobs, one after the other. A text that has begun is not refused in its middle."""
        done: list[Done] = []
        while (job := order.job(place, done)) is not None:
            ask = partial(answer, self.link, job)
            said = await (patiently(ask) if done or order.goes_on(place) else ask())
            done.append(order.end_of(place, done, said))
        self.heard(order, place, done)
        return done

    def heard(self, order: Order, place: int, done: Sequence[Done]) -> None:
        """One of an order's inputs has been answered, just now, by so many jobs."""
        tokens = sum(len(one.hypotheses[0].ids) for one in done)
        order.journal.answered(place, spent(done), tokens, time.monotonic())
        if self.meter is not None:
            self.meter.answered(order.bundle.manifest.name, done[0].hypotheses[0].rows)

    async def off_loop(self, work: Callable[[], T], task: Task[Any, Any] | None = None, *, seconds: bool = False) -> T:
        """The result of work that takes more than a moment; task: whose, if it may be about a picture; seconds: if it
        may take those."""
        pool = self.studio if seconds or (task is not None and task.upload) else self.pool
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def _yielding() -> None:
    """Let the calling thread give way to engines and to the event loop, where threads have priorities of their own."""
    if sys.platform == "linux":
        os.nice(NICE)  # of this thread alone, from wherever it is: to go back to less needs privileges


@asynccontextmanager
async def in_time(order: Order) -> AsyncIterator[None]:
    """What must end by the deadline of an order.

    Raises:
        DeadlinePassed: it did not.
    """
    try:
        async with asyncio.timeout(order.deadline - time.monotonic() + GRACE):
            yield
    except TimeoutError:
        raise DeadlinePassed(f"The answer was not ready within {order.deadline - order.began:g} s.") from None
