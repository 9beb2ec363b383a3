"""A batch that is decoded as batches usually are: whoever has ended keeps its rows until the last one has.

Runs in the environment of a peer. Knows nothing of servers. The steps, the search and the answers are those of our own
engine; only nobody leaves early, so that a batch costs its longest answer times its size.
"""

from __future__ import annotations

from typing import Any

from service.engine.loop import Loop
from service.engine.replies import answers, end


class Whole(Loop):
    """For jobs that ask for no more than an answer: no streams, no trials."""

    def __init__(self, *given: Any, **how: Any) -> None:
        super().__init__(*given, **how)
        self.ended: set[int] = set()  # of those seated, by id()

    def emit(self, table: Any, places: list[int], now: float) -> None:
        """Send the answers that are new; free the places when all at this table have theirs."""
        for place in places:
            guest = table.guests[place]
            if id(guest) not in self.ended:
                self.ended.add(id(guest))
                guest.answers = answers(table, place)
                guest.sink(end(self.session, guest, now))
        if all(id(guest) in self.ended for guest in table.guests):
            for place in reversed(range(table.count)):
                self.ended.discard(id(table.leave(place)))
