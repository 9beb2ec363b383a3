"""Who sits down next: by priority, owners taking turns, within the rows and the cells there are.

Pure: no session, and the clock is handed in. One unit for every limit: *rows*, the beam rows that a step costs;
beside it *cells*, the padded memory positions that guests take. What is bigger than all of it never gets here (`fits`).

Who does not fit may be passed over by those who do, so that no room stays empty, but not for ever: whoever has waited
`patience` seconds is seated before anybody else.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from heapq import heappop, heappush

from service.engine.sequence import Sequence

WIDTHS = (1, 2, 3, 5, 8, 12, 16, 24, 32)  # beam widths of the tables; a beam of 4 sits in a table of 5
SHORTEST = 64  # memory positions of the first kind of table; each next kind has twice as many
PRIORITIES = 3
SHARE = 8  # an eighth of the rows is worth filling

Turns = OrderedDict[str, deque[Sequence]]  # an owner's guests, the owner whose turn it is first


def width_for(beam_size: int) -> int:
    """The narrowest table for a beam.

    Raises:
        ValueError: wider than any table.
    """
    for width in WIDTHS:
        if beam_size <= width:
            return width
    raise ValueError(f"a beam of {beam_size} is wider than {WIDTHS[-1]}")


def span_for(length: int) -> int:
    """The kind of table for so many memory positions: guests of like length sit together, so that little is padding."""
    span = SHORTEST
    while span < length:
        span *= 2
    return span


class Scheduler:
    """The queue in front of the tables."""

    def __init__(
        self, rows: int, newcomers: int, *, positions: int = 0, cells: int = 2**20, patience: float = 2.0
    ) -> None:
        """rows and cells: what may be seated at once; newcomers: guests encoded together; patience: seconds.

        positions: memory positions of an input that does not tell its length, as pictures do not.
        """
        self.rows, self.newcomers, self.cells, self.patience = rows, newcomers, cells, patience
        self.positions = positions
        self.turns: list[Turns] = [OrderedDict() for _ in range(PRIORITIES)]
        self.arrivals: deque[Sequence] = deque()  # everybody, those who left or sat down included until they are first
        self.deadlines: list[tuple[float, int, Sequence]] = []  # a heap, the same way
        self.waiting, self.waiting_rows, self.came = 0, 0, 0

    def fits(self, sequence: Sequence) -> bool:
        """Whether a guest could ever be seated."""
        beam_size = sequence.job.options.beam_size
        return beam_size <= WIDTHS[-1] and width_for(beam_size) <= self.rows and self.span(sequence) <= self.cells

    def span(self, sequence: Sequence) -> int:
        """The padded memory positions that a guest takes."""
        return span_for(sequence.length or self.positions)

    def add(self, sequence: Sequence) -> None:
        """Queue up."""
        options = sequence.job.options
        sequence.waiting = True
        self.came += 1
        self.waiting += 1
        self.waiting_rows += width_for(options.beam_size)
        turns = self.turns[min(max(options.priority, 0), PRIORITIES - 1)]
        turns.setdefault(sequence.job.owner, deque()).append(sequence)
        self.arrivals.append(sequence)
        if options.deadline is not None:
            heappush(self.deadlines, (options.deadline, self.came, sequence))

    def pick(self, rows: int, cells: int, now: float) -> list[Sequence]:
        """Take the next guests off the queue while rows and cells, those still free, last.

        Where not all can sit down, nobody does before a share of the rows is free: several are encoded in half the time
        that they take one by one, and whoever waits for a seat waits for many steps anyway.
        """
        picked: list[Sequence] = []
        if self.waiting_rows > rows and rows * SHARE < self.rows:
            return picked
        while self.waiting and len(picked) < self.newcomers:
            one = self._next(rows, cells, now)
            if one is None:
                break
            self.remove(one)
            rows -= width_for(one.job.options.beam_size)
            cells -= self.span(one)
            picked.append(one)
        return picked

    def _next(self, rows: int, cells: int, now: float) -> Sequence | None:
        """Whose turn it is: the first who waited too long, or the first in turn who fits."""

        def room(one: Sequence) -> bool:
            return width_for(one.job.options.beam_size) <= rows and self.span(one) <= cells

        while not self.arrivals[0].waiting:
            self.arrivals.popleft()
        oldest = self.arrivals[0]
        if now - oldest.arrived >= self.patience:
            return oldest if room(oldest) else None
        for turns in self.turns if rows > 0 else ():
            for owner, queue in turns.items():
                if room(queue[0]):
                    turns.move_to_end(owner)
                    return queue[0]
        return None

    def remove(self, sequence: Sequence) -> None:
        """Take a guest out of the queue, wherever it stands."""
        options = sequence.job.options
        turns = self.turns[min(max(options.priority, 0), PRIORITIES - 1)]
        queue = turns[sequence.job.owner]
        queue.remove(sequence)
        if not queue:
            del turns[sequence.job.owner]
        sequence.waiting = False
        self.waiting -= 1
        self.waiting_rows -= width_for(options.beam_size)
        if not self.waiting:
            self.arrivals.clear()
            self.deadlines.clear()

    def late(self, now: float) -> list[Sequence]:
        """Take out those whose deadline passed while they waited."""
        late = []
        while self.deadlines and (self.deadlines[0][0] <= now or not self.deadlines[0][2].waiting):
            one = heappop(self.deadlines)[2]
            if one.waiting:
                self.remove(one)
                late.append(one)
        return late

    def clear(self) -> list[Sequence]:
        """Take everybody out, in order of arrival."""
        everybody = [one for one in self.arrivals if one.waiting]
        for one in everybody:
            self.remove(one)
        return everybody
