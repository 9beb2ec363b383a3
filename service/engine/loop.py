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
from service.engine.replies import answers, end, told
from service.engine.review import Recall, Review, recall, remember, reviews
from service.engine.scheduler import Scheduler, span_for, width_for
from service.engine.search import Rules
from service.engine.sequence import Sequence
from service.engine.session import Encoded
from service.engine.slots import Slots
from service.errors import DeadlinePassed, Draining, EngineFailed, HeedError, Malformed, NotReady, QueueFull
from service.messages import Event, Failed, Job
from service.pace import Pace
from service.telemetry.figures import Figures, Tally

log = logging.getLogger("heed.engine")


class Steps(Protocol):
    """What the loop asks of a session; see `service.engine.session.Session`."""

    layout: Layout

    def encode(self, inputs: list[dict[str, np.ndarray]]) -> Encoded: ...

    def step(self, feeds: dict[str, np.ndarray], kept: Many[str]) -> dict[str, np.ndarray]: ...


class Loop:
    """A thread that serves one model. Sinks are called from that thread and must not block."""

    def __init__(
        self,
        session: Steps,
        name: str,
        *,
        rows: int,
        newcomers: int,
        queue: int,
        cells: int = 2**20,
        patience: float = 2.0,
        rules: Rules = Rules(),  # noqa: B008 - frozen
    ) -> None:
        """rows: beam rows stepped at once; newcomers: guests encoded at once; queue: rows that may wait for a seat;
        the rest as in `Scheduler`.

        Raises:
            ValueError: the longest input that the model takes would not fit the cells.
        """
        self.session, self.name, self.queue, self.rules = session, name, queue, rules
        self.scheduler = Scheduler(rows, newcomers, positions=session.layout.positions, cells=cells, patience=patience)
        if span_for(session.layout.positions) > cells:
            raise ValueError(f"its longest input takes {span_for(session.layout.positions)} cells; there are {cells}")
        self.tables: dict[tuple[int, int], Slots] = {}  # by beam width and span
        self.reviews: dict[tuple[str, int], Review] = {}  # of answers that were found; by kind and span
        self.pace, self.tally, self.ticks = Pace(), Tally(), 0
        self.change = threading.Condition()
        self.draining = self.dead = False
        self.left: list[Sequence] = []  # who were cancelled and are still to be seen off
        self.fresh: list[Sequence] = []  # seated, and their first step not made
        self.since: float | None = None  # when the present tick began, in time.monotonic() seconds; None at rest
        self.thread = threading.Thread(target=self._run, name=f"loop-{name}", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self.thread.start()

    def ready(self) -> bool:
        """Whether a job submitted now would be worked on."""
        return self.thread.is_alive() and not self.draining and not self.dead

    def stuck(self, seconds: float) -> bool:
        """Whether the present tick has taken longer than this: something in it hangs, and will not come back."""
        since = self.since
        return since is not None and time.monotonic() - since > seconds

    def submit(self, job: Job, sink: Callable[[Event], None]) -> Sequence:
        """Queue a job; its events go to the sink.

        Raises:
            QueueFull, Draining, NotReady: it was not accepted, and the sink will not be called.
            Malformed: it is bigger than all there is.
        """
        sequence = Sequence(job, sink, time.monotonic())
        with self.change:
            if self.draining:
                raise Draining(retry_after=5)
            if self.dead or not self.thread.is_alive():
                raise NotReady(retry_after=5)
            if not self.scheduler.fits(sequence):
                raise Malformed("the beam is wider, or the input longer, than the engine's table")
            waiting = self.scheduler.waiting_rows + width_for(job.options.beam_size)
            if waiting > self.queue + max(0, self.scheduler.rows - self.seated()):
                raise QueueFull(limit=self.queue, retry_after=self.pace.wait(waiting, sequence.arrived))
            self.scheduler.add(sequence)
            self.change.notify()
        return sequence

    def cancel(self, sequence: Sequence) -> None:
        """Nobody waits any more: the slot is free at the next tick."""
        with self.change:
            sequence.cancelled = True
            self.left.append(sequence)
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
                self.left.clear()
                self.since = None
                self.pace.rest(time.monotonic())
                self.change.wait()
            self.since = time.monotonic()
            self.pace.begin(self.since)
            return not self.dead

    def seated(self) -> int:
        """Beam rows seated, dead ones included: what a step costs."""
        return sum(table.count * table.width for table in self._tables())

    def _tables(self) -> list[Slots | Review]:
        return [*list(self.tables.values()), *list(self.reviews.values())]

    def figures(self) -> Figures:
        """What was counted so far, and how many wait and sit now."""
        return self.tally.figures(self.scheduler.waiting_rows, sum(one.count for one in self._tables()))

    def _cells(self) -> int:
        """Memory positions taken, padding included."""
        reviewed = sum(review.count * review.variants * span for (_, span), review in self.reviews.items())
        return reviewed + sum(table.count * span for (_, span), table in self.tables.items())

    def admit(self) -> None:
        """Seat the next guests. Never waits: if nobody is there the step goes on without."""
        now = time.monotonic()
        with self.change:
            gone, self.left = self.left, []
            queued = [sequence for sequence in gone if sequence.waiting]
            for sequence in queued:
                self.scheduler.remove(sequence)
            someone_left = len(gone) > len(queued)  # of those seated
            queued += self.scheduler.late(now)
            free = self.scheduler.rows - self.seated(), self.scheduler.cells - self._cells()
            picked = self.scheduler.pick(*free, now)
        for sequence in queued:
            self._send_off(sequence, now)
        self._see_off(now, someone_left=someone_left)
        if picked:
            for sequence in picked:
                sequence.admitted = now
                self.tally.queued.note(now - sequence.arrived)
            for span in {self.scheduler.span(sequence) for sequence in picked}:
                self._encode([sequence for sequence in picked if self.scheduler.span(sequence) == span])

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
        """Seat encoded guests of one span, each at the table of its width."""
        now, span = time.monotonic(), self.scheduler.span(guests[0])
        widths = np.array([width_for(guest.job.options.beam_size) for guest in guests])
        for width in np.unique(widths).tolist():
            places = np.nonzero(widths == width)[0]
            table = self._table(width, span)
            memory = {name: values[places] for name, values in encoded.memory.items()}
            states = [values[places] for values in encoded.states]
            for place in places:
                guests[place].encoded = now
                remember(guests[place], [values[place] for values in encoded.states])
            table.seat([guests[place] for place in places], memory, states, encoded.lengths[places])
        self.fresh += guests

    def _table(self, width: int, span: int) -> Slots:
        """The table for a beam width and a span, made at its first guest."""
        if (width, span) not in self.tables:
            capacity = min(self.scheduler.rows // width, self.scheduler.cells // span)
            self.tables[width, span] = Slots(width, capacity, self.session.layout, self.rules)
        return self.tables[width, span]

    def step(self) -> None:
        """One step for every table, then see off those who are done."""
        now = time.monotonic()
        for table in self._tables():
            if table.count:
                began, rows = now, table.count * table.width
                places = table.advance(self.session.step(table.feeds(), table.kept()))
                now = time.monotonic()
                self.tally.steps.note(now - began)
                self.tally.rows.note(rows)
                self.emit(table, places, now)
        if self.fresh:
            for guest in self.fresh:
                self.tally.first.note(now - guest.arrived)
            self.fresh = []

    def _see_off(self, now: float, *, someone_left: bool) -> None:
        """Free the places of those who left and of those whose time is up."""
        for table in self._tables():
            if someone_left or table.deadlines[: table.count].min(initial=np.inf) <= now:
                for place in reversed(range(len(table.guests))):
                    if table.guests[place].cancelled or table.deadlines[place] <= now:
                        self._send_off(table.leave(place), now)

    def emit(self, table: Slots | Review, places: list[int], now: float) -> None:
        """Tell listeners what is new; send the finished guests their answers, or to a review; free their places."""
        for guest, tokens in () if isinstance(table, Review) else told(table):
            guest.sink(tokens)
        for place in reversed(places):
            guest = table.guests[place]
            if not isinstance(table, Review):
                guest.answers = answers(table, place)
            more = reviews(guest) if guest.answers else []
            if more:
                self._review(more[0], recall(table, place))
            table.leave(place)
            self.pace.leave(table.width, now)
            if not more:
                self.tally.tokens += len(guest.answers[0].ids) if guest.answers else 0
                guest.sink(end(self.session, guest, now))

    def _review(self, kind: str, one: Recall) -> None:
        """Send a guest to a table where its answer is said again."""
        key = kind, span_for(one.looks.shape[-1])
        if key not in self.reviews:
            self.reviews[key] = Review(kind, self.scheduler.rows, self.session.layout)
        self.reviews[key].arrivals.append(one)

    def _send_off(self, sequence: Sequence, now: float) -> None:
        """Tell a guest who left, or whose time is up."""
        deadline = sequence.job.options.deadline
        self.tally.cancelled += sequence.cancelled
        late = deadline is not None and now >= deadline
        detail = "the answer was not ready in time" if late else "the request was cancelled"
        sequence.sink(Failed(sequence.job.id, DeadlinePassed(detail)))

    def _fail_all(self, error: HeedError) -> None:
        """Give everybody, waiting or seated, this end."""
        with self.change:
            self.dead = True
            pending = self.scheduler.clear()
        pending += [guest for table in self._tables() for guest in table.guests]
        pending += [one.guest for review in self.reviews.values() for one in review.arrivals]
        self.tables.clear()
        self.reviews.clear()
        for sequence in pending:
            sequence.sink(Failed(sequence.job.id, error))
