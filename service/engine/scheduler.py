"""Who sits down next: first come, first served, within the rows there are.

Pure: no clock, no session. A request bigger than the whole table never gets here (`fits`).
"""

from __future__ import annotations

from collections import deque

from service.engine.sequence import Sequence

WIDTHS = (1, 2, 3, 5, 8, 12, 16, 24, 32)  # beam widths of the tables; a beam of 4 sits in a table of 5


def width_for(beam_size: int) -> int:
    """The narrowest table for a beam.

    Raises:
        ValueError: wider than any table.
    """
    for width in WIDTHS:
        if beam_size <= width:
            return width
    raise ValueError(f"a beam of {beam_size} is wider than {WIDTHS[-1]}")


class Scheduler:
    """The queue in front of the tables."""

    def __init__(self, rows: int, newcomers: int) -> None:
        """rows: beam rows that may be seated at once; newcomers: guests encoded together."""
        self.rows, self.newcomers = rows, newcomers
        self.waiting: deque[Sequence] = deque()

    def fits(self, beam_size: int) -> bool:
        """Whether a request could ever be seated."""
        return beam_size <= WIDTHS[-1] and width_for(beam_size) <= self.rows

    def add(self, sequence: Sequence) -> None:
        """Queue up."""
        self.waiting.append(sequence)

    def pick(self, seated_rows: int) -> list[Sequence]:
        """Take the next guests off the queue, in order, while rows last. Nobody is overtaken, so nobody starves."""
        picked: list[Sequence] = []
        free = self.rows - seated_rows
        while self.waiting and len(picked) < self.newcomers:
            width = width_for(self.waiting[0].job.options.beam_size)
            if width > free:
                break
            free -= width
            picked.append(self.waiting.popleft())
        return picked

    def gone(self, now: float) -> list[Sequence]:
        """Take out those who left, or whose deadline passed, while waiting."""
        gone = [one for one in self.waiting if left(one, now)]
        if gone:
            self.waiting = deque(one for one in self.waiting if one not in gone)
        return gone


def left(sequence: Sequence, now: float) -> bool:
    """Whether nobody waits for this guest any more."""
    deadline = sequence.job.options.deadline
    return sequence.cancelled or (deadline is not None and now >= deadline)
