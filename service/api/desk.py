"""The front desk: takes a request to its task, its jobs to the engine, and its answer back, timing each phase.

Knows nothing of HTTP and of any one task. Whatever takes more than a moment runs in a bounded pool of threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from bundle.manifest import Bundle
from service.errors import DeadlinePassed, QueueFull
from service.maps.view import View
from service.messages import Done, Job, Link, answer
from service.tasks.contract import Answer, Asked, Bounds, Encoded, Task

T = TypeVar("T")
Render = Callable[[Sequence[View]], bytes]
GRACE = 1.0  # seconds after the deadline in which the engine itself may still say that it passed


@dataclass
class Desk:
    """One for the whole service; `held` counts the requests that are inside."""

    link: Link
    bounds: Bounds = field(default_factory=Bounds)
    workers: int = 2
    max_requests: int = 128
    deadline: float = 30.0
    held: int = 0
    pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.workers, "desk")

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places there are for requests, from before the body is read.

        Raises:
            QueueFull: all are taken.
        """
        if self.held >= self.max_requests:
            raise QueueFull("Too many requests at once.", limit=self.max_requests, retry_after=1)
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    async def ask(
        self, task: Task[Any, Any], parse: Callable[[], Asked], asked_as: str, render: Render | None = None
    ) -> tuple[bytes, Mapping[str, float]]:
        """The answer, drawn or (without a render) as JSON, and seconds by phase; asked_as: the answer's id.

        Raises:
            HeedError: the request, the engine or the deadline.
        """
        began = time.monotonic()
        order = await self._off_loop(lambda: self._prepare(task, parse))
        timings = {"prepare": time.monotonic() - began}
        done = await self._answers([one.job for one in order.encoded], began + self.deadline)
        timings |= _longest(done)
        answered = time.monotonic()
        body = await self._off_loop(
            lambda: order.written(done, asked_as, timings) if render is None else render(order.views(done))
        )
        now = time.monotonic()
        return body, {**timings, "write": now - answered, "total": now - began}

    def close(self) -> None:
        """Stop the threads; what runs is finished first."""
        self.pool.shutdown(wait=True, cancel_futures=True)

    def _prepare(self, task: Task[Any, Any], parse: Callable[[], Asked]) -> _Order:
        asked = parse()
        bundle = task.choose(asked, self.link.bundles)
        return _Order(task, asked, bundle, task.encode(asked, bundle, self.bounds))

    async def _answers(self, jobs: Sequence[Job], deadline: float) -> list[Done]:
        """Every job's end, in order; the first failure cancels the others."""
        timed = [replace(job, options=replace(job.options, deadline=deadline)) for job in jobs]
        try:
            async with asyncio.timeout(deadline - time.monotonic() + GRACE), asyncio.TaskGroup() as group:
                waiting = [group.create_task(answer(self.link, job)) for job in timed]
        except TimeoutError:
            raise DeadlinePassed(f"The answer was not ready within {self.deadline:g} s.") from None
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in waiting]

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)


@dataclass(frozen=True)
class _Order:
    """A request that was understood."""

    task: Task[Any, Any]
    asked: Asked
    bundle: Bundle
    encoded: Sequence[Encoded[Any]]

    def written(self, done: Sequence[Done], asked_as: str, timings: Mapping[str, float]) -> bytes:
        pairs = zip(self.encoded, done, strict=True)
        results = [self.task.decode(self.asked, self.bundle, one.kept, end) for one, end in pairs]
        rounded = {phase: round(seconds, 6) for phase, seconds in timings.items()}
        whole = Answer(id=asked_as, model=self.bundle.manifest.name, timings=rounded, results=results)
        return whole.model_dump_json(exclude_none=True).encode()

    def views(self, done: Sequence[Done]) -> list[View]:
        pairs = zip(self.encoded, done, strict=True)
        return [self.task.view(self.asked, self.bundle, one.kept, end) for one, end in pairs]


def _longest(done: Sequence[Done]) -> dict[str, float]:
    """The longest of each phase over the jobs."""
    phases = {phase: None for one in done for phase in one.timings}
    return {phase: max(one.timings.get(phase, 0.0) for one in done) for phase in phases}
