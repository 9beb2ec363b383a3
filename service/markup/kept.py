"""A text with what must be kept in it, on its way through a model: pieces in, a hypothesis with all of it out.

Knows nothing of requests. Without anything to keep, all of it is what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bundle.text import Piece, Vocabulary
from service.maps.envelope import OffsetUnit
from service.maps.offsets import places
from service.markup.place import PLACED, place, with_added
from service.markup.placeholders import Span, apart, placeholders, terms
from service.markup.protect import Masked, mask
from service.markup.tags import tagged
from service.messages import Hypothesis


@dataclass(frozen=True)
class Kept:
    """A text as a model reads it, and its pieces: `read` lie in what the model reads, `pieces` in the text."""

    masked: Masked
    read: Sequence[Piece]
    pieces: Sequence[Piece]

    def said(
        self, hypothesis: Hypothesis, text: str, pieces: Sequence[Piece], looks: np.ndarray | None
    ) -> tuple[Hypothesis, str, Sequence[Piece]]:
        """A hypothesis that says `text` in these pieces (T), with what was kept; looks (T, S): its rows of one head."""
        if not self.masked.slots and not self.masked.marks:
            return hypothesis, text, pieces
        columns = self.masked.columns(self.read)
        placed = place(self.masked, columns, text, pieces, looks)
        looks = None if looks is None else with_added(looks, placed.added, columns)
        done = tagged(self.masked, self.read, placed, looks)
        return _grown(hypothesis, done.added, columns), done.text, done.pieces


def kept(text: str, spans: Sequence[Span], vocabulary: Vocabulary) -> Kept:
    """A text with these spans to keep, cut into pieces."""
    masked = mask(text, spans)
    read = vocabulary.pieces(masked.text)
    return Kept(masked, read, masked.restored(read) if spans else read)


def spans(text: str, protect: Sequence[tuple[int, int]], glossary: Mapping[str, str], *, find: bool) -> list[Span]:
    """What a text keeps: what is asked for first, then placeholders (if they are to be found), then terms."""
    asked = [Span(start, end, text[start:end]) for start, end in sorted(protect)]
    return apart(asked, placeholders(text) if find else (), terms(text, glossary))


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
        extras={name: with_added(values, added) for name, values in one.extras.items()},
    )
