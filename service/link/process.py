"""The link to engines in processes of their own: jobs go to the idlest worker, and from a dead one to another.

Knows nothing of engines, tasks or HTTP. Inference is idempotent, so nobody outside notices a dead worker by more than a
delay; a job at which worker after worker dies is failed instead.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

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
from service.link.child import Child
from service.link.frames import LIMIT, BadFrame
from service.link.repository import Repository
from service.link.rounds import Rounds
from service.link.stock import Stock
from service.link.supervisor import Supervisor
from service.link.words import Ask, Cancel, Changed, Report, Say
from service.messages import Done, Event, Failed, Job, Tokens
from service.pace import Pace
from service.telemetry.figures import Vitals, named
from service.telemetry.ledger import Ledger


class ProcessLink:
    """See `service.messages.Link`."""

    def __init__(
        self,
        bundles: Mapping[str, Bundle],
        command: Sequence[str],
        *,
        engines: int = 1,
        rows: int = 256,
        queue: int = 1280,
        heartbeat: float = 5.0,
        attempts: int = 3,
        environment: Mapping[str, str] | None = None,
        zoo: Path = Path("zoo"),
        budget: int | None = None,
        load_seconds: float = 120.0,
        patience: float = 60.0,
    ) -> None:
        """command: starts a worker, given `--models` and `--fd` too; rows: of its tables; queue: rows that may wait.

        zoo: where more bundles are found; budget and patience: as in `Repository`; load_seconds: for one at one worker.
        """
        self.stock = Stock(bundles.values())
        self.command, self.environment = command, environment
        self.engines, self.queue, self.heartbeat, self.attempts = engines, queue, heartbeat, attempts
        self.book: Book[Child] = Book(rows=rows, attempts=attempts)
        self.pace = Pace()
        self.ledger: Ledger[Child] = Ledger()
        self.supervisors: list[Supervisor] = []
        self.draining = False
        self.rounds = Rounds(self._open, places=engines, seconds=load_seconds)
        self.repository = Repository(self.stock, self.rounds, zoo, budget=budget, patience=patience)
        self.tasks: set[asyncio.Task[None]] = set()  # of workers that came up while models were changed
        self.idle = asyncio.Event()
        self.idle.set()

    @property
    def bundles(self) -> Mapping[str, Bundle]:
        """See `Link.bundles`."""
        return self.stock.shelf

    async def start(self) -> None:
        """Return when every worker is ready.

        Raises:
            BadBundle: a worker cannot serve one.
            EngineFailed: workers die before they are ready.
            OverBudget: the bundles take too much memory.
        """
        self.supervisors = [
            Supervisor(
                lambda: (*self.command, "--models", ",".join(self.stock.kept)),
                self,
                heartbeat=self.heartbeat,
                attempts=self.attempts,
                environment=self.environment,
            )
            for _ in range(self.engines)
        ]
        try:
            await asyncio.gather(*(one.first for one in self.supervisors))
            self.repository.check()
        except BaseException:
            await self._stop()
            raise

    def ready(self) -> bool:
        """Whether at least one worker would take a job now."""
        return not self.draining and bool(self._open())

    def vitals(self) -> Vitals:
        """See `Link.vitals`."""
        up: Counter[str] = Counter()
        restarts: Counter[str] = Counter()
        for one in self.supervisors:
            up[one.device] += one.child is not None and one.child.open
            restarts[one.device] += one.restarts
        homeless: Counter[str] = Counter()
        for (worker, model), rows in self.book.load.items():
            if worker is None:
                homeless[named(model)] += rows
        return Vitals(self.ledger.figures(), up, restarts, homeless)

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
        await self._stop()

    async def _stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*(one.stop() for one in self.supervisors))

    def _open(self) -> list[Child]:
        """Workers that take jobs."""
        return [one.child for one in self.supervisors if one.child is not None and one.child.open]

    def _able(self, model: str) -> list[Child]:
        """Those of them that serve a model: while models are changed, not all may."""
        return [child for child in self._open() if model in child.models]

    def _accept(self, job: Job) -> Entry[Child]:
        """Enter a job in the book.

        Raises:
            NotReady, QueueFull: it cannot be worked on, or not soon.
        """
        workers = self._able(job.model)
        if not workers and all(one.hopeless for one in self.supervisors):
            raise NotReady(retry_after=5)
        now = time.monotonic()
        if self.book.would_wait(job, workers) > self.queue:
            waiting = self.book.waiting()
            raise QueueFull(limit=self.queue, actual=waiting, retry_after=self.pace.wait(waiting, now))
        self.pace.begin(now)
        self.idle.clear()
        return self.book.enter(job)

    def _give(self, entry: Entry[Child]) -> None:
        """Send an entry to the idlest worker; without one it waits, until its deadline."""
        worker = self.book.idlest(self._able(entry.job.model))
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

    def _late(self, entry: Entry[Child]) -> None:
        if entry.number in self.book.homeless:
            self._end(entry, DeadlinePassed("the answer was not ready in time"))

    def _rehouse(self) -> None:
        """Give the homeless to workers."""
        for entry in self.book.next():
            self._give(entry)

    def _end(self, entry: Entry[Child], end: HeedError | Done | Failed) -> None:
        """Tell whoever waits for an entry its end."""
        entry.events.put_nowait(Failed(entry.job.id, end) if isinstance(end, HeedError) else end)
        self._strike(entry)

    def _forget(self, entry: Entry[Child]) -> None:
        """Nobody waits for an entry any more."""
        if entry.number in self.book.entries:
            if entry.worker is not None:
                entry.worker.tell(Cancel(entry.number))
            self._strike(entry)

    def _strike(self, entry: Entry[Child]) -> None:
        cleared = entry.worker is not None and self.book.suspect(entry)
        self.book.strike(entry)
        if not self.book.entries:
            self.pace.rest(time.monotonic())
            self.idle.set()
        elif cleared:
            self._rehouse()

    # What supervisors tell; see `service.link.supervisor.Crew`.

    def arrived(self, child: Child) -> None:
        """A worker is ready: the homeless go there. Models that were changed while it started are changed now."""
        self.rounds.measured(child.models)
        if child.models.keys() != self.stock.kept.keys():
            task = asyncio.create_task(self._catch_up(child))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self._rehouse()

    async def _catch_up(self, child: Child) -> None:
        async with self.repository.lock:
            await self.rounds.level(child, self.stock.kept)

    def changed(self, child: Child, word: Changed) -> None:
        """A worker serves other models: those who wait for one may go there."""
        self.rounds.heard(word)
        self._rehouse()

    def said(self, child: Child, word: Say) -> None:
        """News of a job; of one that was given to somebody else meanwhile, old news."""
        entry, event = self.book.entries.get(word.number), word.event
        if entry is None or entry.worker is not child:
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

    def reported(self, child: Child, word: Report) -> None:
        """What a worker has counted."""
        self.ledger.hear(child, word.figures)

    def gone(self, child: Child, *, crashed: bool) -> int:
        """Send the jobs of a worker elsewhere; those at which too many died are failed."""
        self.ledger.forget(child)
        left = self.book.bereave(child, crashed=crashed)
        for entry in left:
            if entry.crashes >= self.attempts:
                self._end(entry, EngineFailed(f"{entry.crashes} workers died at this request"))
        self._rehouse()
        return sum(entry.number in self.book.entries for entry in left)

    def hopeless(self) -> None:
        """No worker comes to life: nobody is kept waiting for one."""
        if all(one.hopeless for one in self.supervisors):
            for entry in list(self.book.homeless.values()):
                self._end(entry, NotReady("no engine can be started", retry_after=5))
