"""A text with what must be kept in it, on its way through a model: pieces in, a hypothesis with all of it out.

Knows nothing of requests. Without anything to keep, all of it is what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from bundle.text import Piece
from service.maps.envelope import OffsetUnit
from service.maps.offsets import places
from service.markup.capitals import calm, shouted
from service.markup.html import escaped
from service.markup.place import PLACED, Placed, place, with_added
from service.markup.placeholders import Span
from service.markup.protect import Masked, mask
from service.markup.tags import Crossed, tagged
from service.messages import SELVES, Hypothesis


@dataclass(frozen=True)
class Kept:
    """A text as a model reads it, and its pieces: `read` lie in what the model reads, `pieces` in the text."""

    masked: Masked
    read: Sequence[Piece]
    pieces: Sequence[Piece]
    html: bool = False
    loud: bool = False  # the text is all capitals but for what is kept, and so is its answer; small letters were read

    def said(
        self, hypothesis: Hypothesis, text: str, pieces: Sequence[Piece], looks: np.ndarray | None
    ) -> tuple[Hypothesis, str, Sequence[Piece]]:
        """A hypothesis that says `text` in these pieces (T), with what was kept; looks (T, S): its rows of one head."""
        if self.loud:
            text, pieces = _spelled(text, pieces, str.upper)
        if self.html:
            text, pieces = _spelled(text, pieces, escaped)
        if not self.masked.slots and not self.masked.marks:
            return hypothesis, text, pieces
        columns = self.masked.columns(self.read)
        try:
            done = self._placed(columns, text, pieces, looks, in_order=False)
        except Crossed:
            done = self._placed(columns, text, pieces, looks, in_order=True)
        return _grown(hypothesis, done.added, columns), done.text, done.pieces

    def _placed(
        self,
        columns: Sequence[Sequence[int]],
        text: str,
        pieces: Sequence[Piece],
        looks: np.ndarray | None,
        *,
        in_order: bool,
    ) -> Placed:
        placed = place(self.masked, columns, text, pieces, looks, in_order=in_order)
        looks = None if looks is None else with_added(looks, placed.added, columns)
        return tagged(self.masked, self.read, placed, looks)


def kept(
    text: str,
    spans: Sequence[Span],
    cut: Callable[[str], Sequence[Piece]],
    known: Sequence[Piece] | None = None,
    *,
    html: bool = False,
    capitals: bool = False,
) -> Kept:
    """A text with these spans to keep, cut into pieces; known: those of the text, if it was cut already.

    html: its answer is written as HTML; capitals: a text that is all capitals is read as if it were not.
    """
    masked = mask(text, spans)
    loud = capitals and not masked.whole and shouted(masked.around_names())
    if loud:
        masked = masked.reading(calm(masked.text))
    read = cut(masked.text) if spans or loud or known is None else known
    return Kept(masked, read, masked.restored(read) if spans else read, html, loud)


def in_code_points(text: str, ranges: Sequence[tuple[int, int]], unit: OffsetUnit) -> list[tuple[int, int]]:
    """Ranges in another unit as ranges of code points.

    Raises:
        ValueError: one begins behind its end, or lies outside the text or within a character; its number is the value.
    """
    at = {place: i for i, place in enumerate(places(text, unit))}
    out = []
    for i, (start, end) in enumerate(ranges):
        if start not in at or end not in at or start > end:
            raise ValueError(i)
        out.append((at[start], at[end]))
    return out


def _spelled(text: str, pieces: Sequence[Piece], way: Callable[[str], str]) -> tuple[str, list[Piece]]:
    """A text spelled another way, character by character, and its pieces there."""
    each = [way(character) for character in text]
    at, out = list(accumulate(map(len, each), initial=0)), "".join(each)
    moved = [(at[one.start], at[one.end], one) for one in pieces]
    return out, [replace(one, text=out[start:end], start=start, end=end) for start, end, one in moved]


def _grown(one: Hypothesis, added: Sequence[tuple[int, int]], columns: Sequence[Sequence[int]]) -> Hypothesis:
    """A hypothesis with the pieces that were added to it."""
    if not added:
        return one
    ids = list(one.ids)
    for at, _ in added:
        ids.insert(at, PLACED)
    return replace(
        one,
        ids=ids,
        logprobs=with_added(one.logprobs, added),
        rows=None if one.rows is None else with_added(one.rows, added, columns),
        extras={name: with_added(values, added) for name, values in one.extras.items() if name not in SELVES},
    )
