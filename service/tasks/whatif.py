"""What if: constraints in the units of a map as positions of the engine, both runs, and what differs between them.

Knows nothing of HTTP, engines or any one task. A constrained answer takes two runs: the first without the constraints,
whose items are what pins are counted in; its words before the first pin are, in greedy search, those of the second run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np

from bundle.manifest import Bundle
from bundle.text import SILENT, Piece
from service.errors import Meaningless, Where
from service.maps.envelope import AttentionMap, Head, OffsetUnit
from service.maps.offsets import places
from service.maps.words import Answer as Said
from service.maps.words import items_of
from service.messages import Done, Hypothesis, Job
from service.tasks.answer import Candidate, Choice, Difference, Edit, Position, Result
from service.tasks.contract import Encoded, Searched, T, renewed
from service.tasks.mapped import shown, summary

Spans = Sequence[Sequence[int]]


def course(
    asked: Searched,
    bundle: Bundle,
    job: Job,
    kept: T,
    keys: Callable[[], Spans],
    pieces: Callable[[Hypothesis], Sequence[Piece]] | None = None,
) -> Encoded[T]:
    """What is to be done for an input: one job, or one without what constrains it and then one with it.

    keys: the memory positions of each key, in the order of the map's keys; pieces: those of an answer as its map has
    them, where that is not just what the model said.

    Raises:
        Meaningless: a constraint is about a key that is not there, or leaves none.
    """
    if not asked.compares:
        return Encoded(job, kept)
    spans = keys()
    mask = _masked(asked, spans)
    for i, (_, key) in enumerate(asked.constraints.pin if asked.constraints else ()):
        _within(key, len(spans), f"/constraints/pin/{i}/1", "key")

    def then(done: Sequence[Done]) -> Job | None:
        if len(done) > 1:
            return None
        first = done[0].hypotheses[0]
        said = pieces(first) if pieces else bundle.text.spelled(first.ids)[1]
        return renewed(job, replace(job.options, mask=mask, pin=_pinned(asked, spans, said)))

    without = replace(job.options, n_best=1, stream=False, trials=False, alternatives=0)
    if asked.constraints is None:
        without = replace(without, prefix=())
    return Encoded(renewed(job, without), kept, then)


def main(asked: Searched, done: Sequence[Done]) -> Done:
    """The run that was asked for."""
    return done[int(asked.compares)]


def _masked(asked: Searched, spans: Spans) -> tuple[int, ...]:
    keys = asked.constraints.mask if asked.constraints else []
    for i, key in enumerate(keys):
        _within(key, len(spans), f"/constraints/mask/{i}", "key")
    positions = {position for key in keys for position in spans[key]}
    if len(positions) == sum(map(len, spans)):
        raise Meaningless("Everything is masked.", errors=(Where("/constraints/mask", "leaves no key"),))
    return tuple(sorted(positions))


def _pinned(asked: Searched, spans: Spans, pieces: Sequence[Piece]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Each pinned step with the positions that it may look at; some pieces were put there, and no step said them."""
    pins = asked.constraints.pin if asked.constraints else []
    items = items_of(pieces, asked.unit)
    steps = list(accumulate((piece.id >= 0 for piece in pieces), initial=0))
    looks: dict[int, set[int]] = {}
    for i, (query, key) in enumerate(pins):
        _within(query, len(items), f"/constraints/pin/{i}/0", "item")
        own = [steps[place] for place in items[query] if pieces[place].id >= 0]
        if not own:
            where = (Where(f"/constraints/pin/{i}/0", "was kept, not said by the model"),)
            raise Meaningless("What was kept looks at nothing.", errors=where)
        for step in own:
            looks.setdefault(step, set()).update(spans[key])
    return tuple((step, tuple(sorted(positions))) for step, positions in sorted(looks.items()))


def _within(actual: int, count: int, pointer: str, what: str) -> None:
    if not 0 <= actual < count:
        why = f"is {actual}: there are {count}, from 0"
        raise Meaningless(f"There is no such {what} to constrain.", errors=(Where(pointer, why),))


class Spoken(Protocol):
    """A hypothesis beside the input that it answers, as each task has it."""

    hypothesis: Hypothesis
    said: Said

    def label(self, rows: np.ndarray, layer: int, head: Head) -> AttentionMap: ...

    def candidate(self) -> Candidate: ...


def result(asked: Searched, bundle: Bundle, done: Sequence[Done], spoken: Callable[[Hypothesis], Spoken]) -> Result:
    """The answer for one input: what the run that was asked for said, beside the one without constraints."""
    said = [spoken(one) for one in main(asked, done).hypotheses]
    best, *_ = candidates = [one.candidate() for one in said]
    plain = spoken(done[0].hypotheses[0]) if asked.compares else None
    return Result(
        **dict(best),
        language=bundle.manifest.target,
        hypotheses=candidates if asked.n_best > 1 else None,
        trust=summary(asked, bundle, said[0].hypothesis, said[0].said.pieces),
        alternatives=alternatives(bundle, said[0].hypothesis, said[0].said, asked.offsets),
        unconstrained=plain and plain.candidate(),
        difference=plain and difference(_run(plain, asked, bundle), _run(said[0], asked, bundle)),
    )


class Run(NamedTuple):
    """What is compared of a run."""

    words: list[str]
    score: float
    weights: np.ndarray | None  # (words, keys)


def _run(one: Spoken, asked: Searched, bundle: Bundle) -> Run:
    pieces, text = one.said.pieces, one.said.text
    words = [text[pieces[item[0]].start : pieces[item[-1]].end] for item in items_of(pieces, asked.unit)]
    rows = None if asked.attention == "none" else one.hypothesis.rows
    return Run(words, one.hypothesis.score, None if rows is None else one.label(*shown(rows, bundle)).weights)


def difference(before: Run, after: Run) -> Difference:
    """What differs between two runs."""
    blocks = SequenceMatcher(None, before.words, after.words, autojunk=False)
    changed = [
        Edit(before=(a, b), after=(c, d), was=" ".join(before.words[a:b]), became=" ".join(after.words[c:d]))
        for kind, a, b, c, d in blocks.get_opcodes()
        if kind != "equal"
    ]
    rows: list[float | None] | None = None
    if before.weights is not None and after.weights is not None:
        rows = [None] * len(after.words)
        for a, b, size in blocks.get_matching_blocks():
            moved = np.abs(before.weights[a : a + size] - after.weights[b : b + size]).sum(1) / 2
            rows[b : b + size] = [round(float(distance), 4) for distance in moved]
    return Difference(changed=changed, score=round(after.score - before.score, 6), rows=rows)


def alternatives(bundle: Bundle, hypothesis: Hypothesis, said: Said, unit: OffsetUnit) -> list[Position] | None:
    """For each piece of an answer what it might have been, where that was asked for."""
    if "alternatives" not in hypothesis.extras:
        return None
    return list(_positions(bundle, hypothesis, said, unit))


def _positions(bundle: Bundle, hypothesis: Hypothesis, said: Said, unit: OffsetUnit) -> Iterator[Position]:
    at = places(said.text, unit)
    ids, logprobs = (hypothesis.extras[name] for name in ("alternatives", "alternative_logprobs"))
    for i, piece in enumerate(said.pieces):
        if piece.id < 0:
            continue  # no step said it: it was put there
        choices = [
            Choice(id=id_, text="</s>" if id_ in SILENT else bundle.text.shown(id_), logprob=round(logprob, 6))
            for id_, logprob in zip(ids[i].tolist(), logprobs[i].tolist(), strict=True)
        ]
        start, end = at[piece.start], at[piece.end]
        yield Position(i=i, id=piece.id, text=piece.text, start=start, end=end, choices=choices)
