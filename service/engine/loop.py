"""The loop of one model: admit, step, emit, until nobody is left. The engine's only impure part.

Knows nothing of HTTP, of words, or of who listens behind a guest's sink.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence as Many
from typing import Protocol

import numpy as np

from service.engine.layout import Layout
from service.engine.scheduler import Scheduler, left, width_for
from service.engine.sequence import Sequence
from service.engine.session import Encoded
from service.engine.slots import Slots
from service.errors import DeadlinePassed, Draining, EngineFailed, HeedError, Malformed, NotReady, QueueFull
from service.messages import Done, Event, Failed, Job

log = logging.getLogger("heed.engine")


class Steps(Protocol):
    """What the loop asks of a session; see `service.engine.session.Session`."""

    layout: Layout

    def encode(self, inputs: list[dict[str, np.ndarray]]) -> Encoded: ...

    def step(self, feeds: dict[str, np.ndarray], kept: Many[str]) -> dict[str, np.ndarray]: ...


class Loop:
    """A thread that serves one model. Sinks are called from that thread and must not block."""

    def __init__(self, session: Steps, name: str, *, rows: int, newcomers: int, queue: int) -> None:
        """rows: beam rows stepped at once; newcomers: guests encoded at once; queue: guests that may wait."""
        self.session, self.name, self.queue = session, name, queue
        self.scheduler = Scheduler(rows, newcomers)
        self.tables: dict[int, Slots] = {}
        self.change = threading.Condition()
        self.draining = self.dead = False
        self.someone_left = False  # set after the own flag of a guest: no tick misses both
        self.ticks = 0
        self.thread = threading.Thread(target=self._run, name=f"loop-{name}", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self.thread.start()

    def ready(self) -> bool:
        """Whether a job submitted now would be worked on."""
        return self.thread.is_alive() and not self.draining and not self.dead

    def submit(self, job: Job, sink: Callable[[Event], None]) -> Sequence:
        """Queue a job; its events go to the sink.

        Raises:
            QueueFull, Draining, NotReady: it was not accepted, and the sink will not be called.
            Malformed: the beam is wider than the table.
        """
        sequence = Sequence(job, sink, time.monotonic())
        with self.change:
            if self.draining:
                raise Draining(retry_after=5)
            if self.dead or not self.thread.is_alive():
                raise NotReady(retry_after=5)
            if not self.scheduler.fits(job.options.beam_size):
                raise Malformed("the beam is wider than the engine's table")
            if len(self.scheduler.waiting) >= self.queue:
                raise QueueFull(limit=self.queue, retry_after=1)
            self.scheduler.add(sequence)
            self.change.notify()
        return sequence

    def cancel(self, sequence: Sequence) -> None:
        """Nobody waits any more: the slot is free at the next tick."""
        with self.change:
            sequence.cancelled = True
            self.someone_left = True
            self.change.notify()

    def drain(self, seconds: float) -> None:
        """Accept nothing more, finish what was accepted within this time, fail the rest, stop."""
        with self.change:
            self.draining = True
            self.change.notify()
        if self.thread.ident is not None:
            self.thread.join(seconds)
        if self.thread.is_alive():
            with self.change:
                self.dead = True
                self.change.notify()
            self.thread.join()

    def _run(self) -> None:
        """The thread: tick while there is work, sleep while there is none."""
        try:
            while self._awake():
                self.admit()
                self.step()
                self.ticks += 1
            self._fail_all(Draining("the service stopped before the answer was ready", retry_after=5))
        except Exception:
            log.exception("the loop of %s died", self.name)
            self.dead = True
            self._fail_all(EngineFailed("the engine failed; the request may be sent again"))

    def _awake(self) -> bool:
        """Wait for work; False when it is time to stop."""
        with self.change:
            while not self.dead and not self.scheduler.waiting and not self.seated():
                if self.draining:
                    return False
                self.change.wait()
            return not self.dead

    def seated(self) -> int:
        """Beam rows seated, dead ones included: what a step costs."""
        return sum(table.count * table.width for table in self.tables.values())

    def admit(self) -> None:
        """Seat the next guests. Never waits: if nobody is there the step goes on without."""
        now = time.monotonic()
        with self.change:
            gone = self.scheduler.gone(now)
            picked = self.scheduler.pick(self.seated())
        for sequence in gone:
            self._send_off(sequence, now)
        if picked:
            for sequence in picked:
                sequence.admitted = now
            self._encode(picked)

    def _encode(self, guests: list[Sequence]) -> None:
        """Encode newcomers together; if that fails, one by one, so that a failure is that guest's own."""
        try:
            encoded = self.session.encode([dict(guest.job.inputs) for guest in guests])
        except Exception as failure:  # noqa: BLE001  whatever it is, it is that guest's, not the loop's
            if len(guests) > 1:
                for guest in guests:
                    self._encode([guest])
                return
            log.warning("job %s could not be encoded: %s", guests[0].job.id, type(failure).__name__)
            guests[0].sink(Failed(guests[0].job.id, EngineFailed("the input could not be encoded")))
            return
        self._seat(guests, encoded)

    def _seat(self, guests: list[Sequence], encoded: Encoded) -> None:
        """Seat encoded guests, each at the table of its width."""
        now = time.monotonic()
        widths = np.array([width_for(guest.job.options.beam_size) for guest in guests])
        for width in np.unique(widths).tolist():
            places = np.nonzero(widths == width)[0]
            table = self._table(width)
            memory = {name: values[places] for name, values in encoded.memory.items()}
            states = [values[places] for values in encoded.states]
            for place in places:
                guests[place].encoded = now
            table.seat([guests[place] for place in places], memory, states, encoded.lengths[places])

    def _table(self, width: int) -> Slots:
        """The table for a beam width, made at its first guest."""
        if width not in self.tables:
            self.tables[width] = Slots(width, self.scheduler.rows // width, self.session.layout)
        return self.tables[width]

    def step(self) -> None:
        """One step for every table, then see off those who are done."""
        someone_left, self.someone_left = self.someone_left, False
        for table in self.tables.values():
            now = time.monotonic()
            if someone_left or table.deadlines[: table.count].min(initial=np.inf) <= now:
                self._see_off(table, now)
            if table.count:
                out = self.session.step(table.feeds(), table.kept())
                self.emit(table, table.advance(out))

    def _see_off(self, table: Slots, now: float) -> None:
        """Free the places of those who left and of those whose time is up."""
        for place in range(table.count - 1, -1, -1):
            if left(table.guests[place], now):
                self._send_off(table.leave(place), now)

    def emit(self, table: Slots, places: list[int]) -> None:
        """Tell listeners what is new; send the finished guests their answers and free their places."""
        now = time.monotonic()
        for guest, tokens in table.told():
            guest.sink(tokens)
        for place in reversed(places):
            answers = table.answers(place)
            guest = table.leave(place)
            guest.sink(Done(guest.job.id, answers, guest.timings(now)))

    def _send_off(self, sequence: Sequence, now: float) -> None:
        """Tell a guest who left, or whose time is up."""
        deadline = sequence.job.options.deadline
        late = deadline is not None and now >= deadline
        detail = "the answer was not ready in time" if late else "the request was cancelled"
        sequence.sink(Failed(sequence.job.id, DeadlinePassed(detail)))

    def _fail_all(self, error: HeedError) -> None:
        """Give everybody, waiting or seated, this end."""
        with self.change:
            self.dead = True
            pending = list(self.scheduler.waiting)
            self.scheduler.waiting.clear()
        pending += [guest for table in self.tables.values() for guest in table.guests]
        self.tables.clear()
        for sequence in pending:
            sequence.sink(Failed(sequence.job.id, error))
