"""Jobs to engines at the far end of lines: each goes to the idlest, and from one that died to another.

Knows nothing of where engines run, or of who starts them. Inference is idempotent, so nobody outside notices a dead one
by more than a delay; a job at which engine after engine dies is failed instead.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from bundle.manifest import Bundle
from service.errors import (
    DeadlinePassed,
    Draining,
    EngineFailed,
    HeedError,
    NotReady,
    QueueFull,
    TooLarge,
)
from service.link.book import Book, Entry
from service.link.frames import LIMIT, BadFrame
from service.link.line import Line
from service.link.stock import Stock
from service.link.words import Ask, Cancel, Report, Say
from service.messages import Done, Event, Failed, Job, Repository, Tokens
from service.pace import Pace
from service.telemetry.figures import named
from service.telemetry.ledger import Ledger


class Dispatch:
    """What is alike in every link over lines; see `service.messages.Link`."""

    repository: Repository | None = None

    def __init__(self, bundles: Mapping[str, Bundle], *, rows: int, queue: int, attempts: int) -> None:
        """rows: of each engine's tables; queue: rows that may wait in all; attempts: engines that may die at a job."""
        self.stock = Stock(bundles.values())
        self.queue, self.attempts = queue, attempts
        self.book: Book[Line] = Book(rows=rows, attempts=attempts)
        self.pace = Pace()
        self.ledger: Ledger[Line] = Ledger()
        self.draining = False
        self.idle = asyncio.Event()
        self.idle.set()

    @property
    def bundles(self) -> Mapping[str, Bundle]:
        """See `Link.bundles`."""
        return self.stock.shelf

    @abstractmethod
    def lines(self, model: str) -> Sequence[Line]:
        """Those that take jobs for a model, by its id, now."""

    @abstractmethod
    def in_vain(self) -> bool:
        """Whether it makes no sense to wait for an engine where there is none."""

    @abstractmethod
    async def stop(self) -> None:
        """Have no more to do with any engine."""

    def hold(self, model: str) -> AbstractContextManager[object]:
        """See `Link.hold`."""
        return self.stock.hold(model)

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        """See `Link.submit`. Leaving the iterator early frees the job's slot."""
        if self.draining:
            raise Draining(retry_after=5)
        with self.stock.at_work(job.model) as model:
            entry, deadline = self._accept(replace(job, model=model)), job.options.deadline
            late = None  # a timer for those who find no worker; the event loop's clock is time.monotonic()
            if deadline is not None:
                late = asyncio.get_running_loop().call_at(deadline, self._late, entry)
            over = False
            try:
                self._give(entry)
                while not isinstance(event := await entry.events.get(), Done | Failed):
                    yield event
                over = True
            finally:
                if late is not None:
                    late.cancel()
                if not over:
                    self._forget(entry)
        yield event

    async def drain(self, seconds: float) -> None:
        """See `Link.drain`."""
        self.draining = True
        try:
            async with asyncio.timeout(seconds):
                await self.idle.wait()
        except TimeoutError:
            pass
        for entry in list(self.book.entries.values()):
            if entry.worker is not None:
                entry.worker.tell(Cancel(entry.number))
            self._end(entry, Draining("the service stopped before the answer was ready", retry_after=5))
        await self.stop()

    def _accept(self, job: Job) -> Entry[Line]:
        """Enter a job in the book.

        Raises:
            NotReady, QueueFull: it cannot be worked on, or not soon.
        """
        workers = self.lines(job.model)
        if not workers and self.in_vain():
            raise NotReady(retry_after=5)
        now = time.monotonic()
        if self.book.would_wait(job, workers) > self.queue:
            waiting = self.book.waiting()
            raise QueueFull(limit=self.queue, actual=waiting, retry_after=self.pace.wait(waiting, now))
        self.pace.begin(now)
        self.idle.clear()
        return self.book.enter(job)

    def _give(self, entry: Entry[Line]) -> None:
        """Send an entry to the idlest worker; without one it waits, until its deadline."""
        worker = self.book.idlest(self.lines(entry.job.model))
        if worker is None:
            return
        job = entry.told.restart() if entry.told and entry.sent else entry.job
        try:
            worker.tell(Ask(entry.number, job))
        except BadFrame:
            self._end(entry, TooLarge("the input is too large to be sent to an engine", limit=LIMIT))
            return
        entry.sent = True
        self.book.give(entry, worker)

    def _late(self, entry: Entry[Line]) -> None:
        if entry.number in self.book.homeless:
            self._end(entry, DeadlinePassed("the answer was not ready in time"))

    def _rehouse(self) -> None:
        """Give the homeless to workers."""
        for entry in self.book.next():
            self._give(entry)

    def _end(self, entry: Entry[Line], end: HeedError | Done | Failed) -> None:
        """Tell whoever waits for an entry its end."""
        entry.events.put_nowait(Failed(entry.job.id, end) if isinstance(end, HeedError) else end)
        self._strike(entry)

    def _forget(self, entry: Entry[Line]) -> None:
        """Nobody waits for an entry any more."""
        if entry.number in self.book.entries:
            if entry.worker is not None:
                entry.worker.tell(Cancel(entry.number))
            self._strike(entry)

    def _strike(self, entry: Entry[Line]) -> None:
        cleared = entry.worker is not None and self.book.suspect(entry)
        self.book.strike(entry)
        if not self.book.entries:
            self.pace.rest(time.monotonic())
            self.idle.set()
        elif cleared:
            self._rehouse()

    # What those who look after the lines tell; see `service.link.supervisor.Crew`.

    def arrived(self, line: Line) -> None:
        """An engine is ready: the homeless go there."""
        self._rehouse()

    def said(self, line: Line, word: Say) -> None:
        """News of a job; of one that was given to somebody else meanwhile, old news."""
        entry, event = self.book.entries.get(word.number), word.event
        if entry is None or entry.worker is not line:
            return
        if isinstance(event, Tokens):
            tokens = entry.told.hear(event) if entry.told else event
            if tokens is not None:
                entry.events.put_nowait(tokens)
        elif isinstance(event, Failed) and isinstance(event.error, Draining) and not self.draining:
            self.book.give(entry, None)  # that worker was asked to leave; the service was not
            self._rehouse()
        else:
            self.pace.leave(entry.rows, time.monotonic())
            self._end(entry, event)

    def reported(self, line: Line, word: Report) -> None:
        """What an engine has counted."""
        self.ledger.hear(line, word.figures)

    def homeless(self) -> Counter[str]:
        """Rows without an engine, by model."""
        found: Counter[str] = Counter()
        for (worker, model), rows in self.book.load.items():
            if worker is None:
                found[named(model)] += rows
        return found

    def gone(self, line: Line, *, crashed: bool) -> int:
        """Send the jobs of a worker elsewhere; those at which too many died are failed."""
        self.ledger.forget(line)
        left = self.book.bereave(line, crashed=crashed)
        for entry in left:
            if entry.crashes >= self.attempts:
                self._end(entry, EngineFailed(f"{entry.crashes} workers died at this request"))
        self._rehouse()
        return sum(entry.number in self.book.entries for entry in left)

    def hopeless(self) -> None:
        """No worker comes to life: nobody is kept waiting for one."""
        if self.in_vain():
            for entry in list(self.book.homeless.values()):
                self._end(entry, NotReady("no engine can be started", retry_after=5))
