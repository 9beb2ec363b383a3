"""The book of jobs on their way: who works on which, how many rows wait, and who crashed how often.

Pure: no clock, socket or process in it. A worker is whatever the caller names it by.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from service.link.told import Told
from service.messages import Event, Job

W = TypeVar("W", bound=Hashable)


@dataclass(eq=False)
class Entry(Generic[W]):
    """A job that was accepted and has no end yet."""

    number: int
    job: Job
    events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    told: Told | None = None  # if it streams
    worker: W | None = None  # None while it waits for one
    sent: bool = False  # before: a worker had it and is gone
    crashes: int = 0

    @property
    def rows(self) -> int:
        """What it takes of a table."""
        return self.job.options.beam_size


class Book(Generic[W]):
    """Entries by number."""

    def __init__(self, *, rows: int, attempts: int) -> None:
        """rows: of a worker's table, for each model; attempts: workers a job may take down with it."""
        self.rows, self.attempts = rows, attempts
        self.entries: dict[int, Entry[W]] = {}
        self.homeless: dict[int, Entry[W]] = {}  # entries without a worker, oldest first
        self.load: Counter[tuple[W | None, str]] = Counter()  # rows by worker and model
        self.last = 0

    def enter(self, job: Job) -> Entry[W]:
        """Accept a job. It is homeless until it is given to somebody."""
        self.last += 1
        entry: Entry[W] = Entry(self.last, job, told=Told(job) if job.options.stream else None)
        self.entries[entry.number] = self.homeless[entry.number] = entry
        self.load[None, job.model] += entry.rows
        return entry

    def waiting(self) -> int:
        """Rows that cannot be seated now: those beyond each table, and those without a worker."""
        return sum(max(0, rows - (0 if worker is None else self.rows)) for (worker, _), rows in self.load.items())

    def would_wait(self, job: Job, workers: Collection[W]) -> int:
        """Rows that would wait if this job came in too."""
        worker = self.idlest(workers)
        free = max(0, self.rows - self.load[worker, job.model]) if worker is not None else 0
        return self.waiting() + max(0, job.options.beam_size - free)

    def idlest(self, workers: Collection[W]) -> W | None:
        """The worker with the least rows."""
        return min(workers, key=self._rows_of, default=None)

    def give(self, entry: Entry[W], worker: W | None) -> None:
        """Write down who works on an entry now."""
        self._unload(entry)
        entry.worker = worker
        self.load[worker, entry.job.model] += entry.rows
        if worker is None:
            self.homeless[entry.number] = entry
        else:
            self.homeless.pop(entry.number, None)

    def strike(self, entry: Entry[W]) -> None:
        """It has an end, or nobody waits for it."""
        self._unload(entry)
        self.homeless.pop(entry.number, None)
        self.entries.pop(entry.number, None)

    def bereave(self, worker: W, *, crashed: bool) -> list[Entry[W]]:
        """A worker is gone: its entries, oldest first, homeless now."""
        left = [entry for entry in self.entries.values() if entry.worker is worker]
        for entry in left:
            entry.crashes += crashed
            self.give(entry, None)
        self.homeless = dict(sorted(self.homeless.items()))
        return left

    def suspect(self, entry: Entry[W]) -> bool:
        """Whether one more crash is its end. Suspects work one at a time, so that the innocent are cleared."""
        return 0 < entry.crashes >= self.attempts - 1

    def next(self) -> list[Entry[W]]:
        """The homeless who may be given to a worker: all, but of the suspects one, and none while one is at work."""
        free = not any(entry.worker is not None and self.suspect(entry) for entry in self.entries.values())
        found = []
        for entry in self.homeless.values():
            if not self.suspect(entry):
                found.append(entry)
            elif free:
                free = False
                found.append(entry)
        return found

    def _rows_of(self, worker: W) -> int:
        return sum(rows for (whose, _), rows in self.load.items() if whose is worker)

    def _unload(self, entry: Entry[W]) -> None:
        key = (entry.worker, entry.job.model)
        self.load[key] -= entry.rows
        if self.load[key] <= 0:
            del self.load[key]
