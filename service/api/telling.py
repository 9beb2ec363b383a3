"""One text of a stream: its sentences are told one after the other, in whatever order the engine is done with them.

Knows nothing of sockets. A picture, or a text of one sentence, is told the same way: it is its only sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.api.feed import Feed
from service.api.order import Order
from service.maps.offsets import width
from service.messages import Done
from service.tasks.live import DoneEvent, Live, StartEvent


class Telling:
    """`places` are those of its sentences among the order's inputs."""

    def __init__(self, order: Order, feed: Feed, places: Sequence[int]) -> None:
        self.order, self.feed, self.places = order, feed, places
        self.at = 0  # the sentence that is told now
        self.source = 0  # where the sentence before ends in the text, in the unit of offsets

    @property
    def live(self) -> Live:
        """The sentence that is told now."""
        return self.feed.lives[self.places[self.at]]

    def start(self) -> StartEvent:
        """What is told before the sentence itself."""
        unit, part = self.order.asked.offsets, self.order.encoded[self.places[self.at]].part
        if part is None:
            return self.order.start(self.places[self.at], self.live, 0)
        begins = self.source + width(part.before, unit)
        self.source = begins + width(part.text, unit)
        return self.order.start(self.places[self.at], self.live, begins)

    def ended(self) -> bool:
        """Whether the engine is done with the sentence: then its news are all there are."""
        return self.places[self.at] in self.feed.ends

    def next(self) -> bool:
        """Go on to the next sentence; False if that was the last one."""
        told = self.live
        if self.at + 1 == len(self.places):
            return False
        self.at += 1
        if told.heard:
            self.live.behind = told.reached()
        else:  # nothing was said that could carry what lies before it
            self.live.before, self.live.behind = told.before + self.live.before, told.behind
        return True

    def end(self) -> DoneEvent:
        """What is told when all has been said."""
        return self.order.end(self.places, self._ends())

    def _ends(self) -> list[list[Done]]:
        return [self.feed.ends[place] for place in self.places]


def tellings(order: Order, feed: Feed) -> list[Telling]:
    """One for each text, or picture, of an order."""
    places: dict[int, list[int]] = {}
    for place, live in enumerate(feed.lives):
        places.setdefault(live.input, []).append(place)
    return [Telling(order, feed, those) for those in places.values()]
