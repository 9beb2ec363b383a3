"""Which models lead from one language to another: one, or two with a language between; and what each of them is asked.

Knows nothing of HTTP, engines or requests. What an engine says of a text is brought here into the shape that everybody
else expects: a tag's share of attention goes to the text's end, and two maps in a row become one over the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np

from bundle.manifest import Bundle, Pair
from bundle.text import EOS, UNK, Piece
from service.maps.product import product
from service.messages import Done, Event, Hypothesis, Job, Options, Tokens
from service.tasks.contract import job
from service.tasks.detection import Guess, detect_all
from service.tasks.mapped import shown

AUTO = "auto"  # a source that is to be found out
BETWEEN = "en"  # the language that every other one is translated to and from
WINDOW = ("window_start", "window_end")  # positions that a model of local attention tells of each token


class Leg(NamedTuple):
    """One model, for one of its pairs."""

    bundle: Bundle
    pair: Pair

    @property
    def room(self) -> int:
        """The most pieces of a text that it reads."""
        return self.bundle.manifest.limits.source - 1 - (self.pair.tag is not None)

    def pieces(self, text: str) -> list[Piece]:
        """A text's pieces; none of them is a tag, whatever the text says."""
        tags = {self.bundle.tag(pair) for pair in self.bundle.manifest.pairs if pair.tag}
        cut = self.bundle.text.pieces(text)
        return [replace(piece, id=UNK) if (piece.id,) in tags else piece for piece in cut] if tags else cut

    def job(self, pieces: Sequence[Piece], how: Options) -> Job:
        """The job of translating these: a tag if the pair has one, the pieces, the end."""
        ids = [*self.bundle.tag(self.pair), *(piece.id for piece in pieces), EOS]
        return job(self.bundle, {"source": np.array(ids, np.int64)}, how)

    def usual(self, *, rows: bool) -> Options:
        """How its card was measured."""
        usual, limits = self.bundle.manifest.search, self.bundle.manifest.limits
        return Options(usual.beam_size, 1, usual.length_penalty, limits.target, attention=rows and bool(self.attends))

    @property
    def attends(self) -> bool:
        """Whether it has attention to tell of."""
        return bool(self.bundle.manifest.attention)

    def heard(self, event: Event) -> Event:
        """What an engine says, as if there were no tag."""
        return event if self.pair.tag is None else seen(event, _untagged, _before)

    def keys(self, spans: Sequence[Sequence[int]], pieces: int) -> list[list[int]]:
        """Positions of the engine that each key of a map stands for, and those of the end: a tag is part of it."""
        first = int(self.pair.tag is not None)
        return [*([first + i for i in span] for span in spans), [*range(first), first + pieces]]


Said = TypeVar("Said", Hypothesis, Tokens)
Way = tuple[Leg, ...]  # one leg, or two


def legs(bundles: Iterable[Bundle]) -> list[Leg]:
    """Every pair of every model, in order."""
    return [Leg(bundle, pair) for bundle in bundles for pair in bundle.manifest.pairs]


def through(all_: Sequence[Leg]) -> list[Way]:
    """Two legs with BETWEEN between them, for every pair that has no leg of its own: the first of each."""
    known = {(leg.pair.source, leg.pair.target) for leg in all_}
    found: list[Way] = []
    for first in all_:
        for second in all_:
            ends = (first.pair.source, second.pair.target)
            if first.pair.target == second.pair.source == BETWEEN and ends[0] != ends[1] and ends not in known:
                known.add(ends)
                found.append((first, second))
    return found


def fitting(
    able: Sequence[Bundle], source: str | None, target: str | None, texts: Sequence[str], *, alone: bool
) -> tuple[list[Way], Guess | None]:
    """The ways from a source to a target, None being any; and what AUTO was found to be.

    One model, if any serves; two only if none does, and not if one is to do it alone.
    """
    all_ = legs(able)
    direct: list[Way] = [(leg,) for leg in all_]
    guess = None
    if (source or "").lower() == AUTO:
        both = direct if alone else [*direct, *through(all_)]
        among = list(dict.fromkeys(way[0].pair.source for way in _serving(both, None, target)))
        guess = detect_all(texts, among)[0] if among else None
        if guess is None:
            return [], None
        source = guess.language
    found = _serving(direct, source, target)
    return found or ([] if alone else _serving(through(all_), source, target)), guess


def _serving(ways: Sequence[Way], source: str | None, target: str | None) -> list[Way]:
    def serves(way: Way) -> bool:
        wanted = ((source, way[0].pair.source), (target, way[-1].pair.target))
        return all(code is None or code.lower() == there.lower() for code, there in wanted)

    return [way for way in ways if serves(way)]


def between(way: Way, done: Sequence[Done]) -> str:
    """What the first of two models said."""
    return way[0].bundle.text.text(done[0].hypotheses[0].ids)


def onward(way: Way, how: Options, done: Sequence[Done]) -> Job | None:
    """What is to be done after so much was done: the second leg, once."""
    if len(way) == 1 or len(done) > 1:
        return None
    return way[1].job(way[1].pieces(between(way, done))[: way[1].room], how)


def heard(way: Way, done: Sequence[Done], event: Event) -> Event:
    """What an engine says after so much was done, its rows over the text that went in first."""
    if not done or len(way) == 1:
        return way[0].heard(event)
    text, said = way[0].bundle.text.spelled(done[0].hypotheses[0].ids)
    read = way[1].pieces(text)[: way[1].room]
    seen_first = done[0].hypotheses[0].rows

    def laid_over(rows: np.ndarray) -> np.ndarray:
        if seen_first is None:
            return rows
        return product(shown(rows, way[1].bundle)[0], read, shown(seen_first, way[0].bundle)[0], said)

    return seen(way[1].heard(event), laid_over, None)


def seen(
    event: Event, change: Callable[[np.ndarray], np.ndarray], edges: Callable[[np.ndarray], np.ndarray] | None
) -> Event:
    """An event with other rows; edges: how positions change, None where windows mean nothing any more."""
    if isinstance(event, Done):
        return replace(event, hypotheses=tuple(_changed(one, change, edges) for one in event.hypotheses))
    return _changed(event, change, edges) if isinstance(event, Tokens) else event


def _changed(
    said: Said, change: Callable[[np.ndarray], np.ndarray], edges: Callable[[np.ndarray], np.ndarray] | None
) -> Said:
    extras = {name: values for name, values in said.extras.items() if name not in WINDOW}
    if edges is not None:
        extras |= {name: edges(said.extras[name]) for name in WINDOW if name in said.extras}
    return replace(said, rows=None if said.rows is None else change(said.rows), extras=extras)


def _untagged(rows: np.ndarray) -> np.ndarray:
    """Rows (…, 1 + S) without the column of the tag, whose weight goes to the last, the text's end."""
    rest = rows[..., 1:].copy()
    rest[..., -1] += rows[..., 0]
    return rest


def _before(positions: np.ndarray) -> np.ndarray:
    moved: np.ndarray = np.maximum(positions - 1, 0)
    return moved
