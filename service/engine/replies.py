"""What guests are told: their answers at the end; on the way, for those who listen, what their best hypothesis says.

Knows nothing of steps: it reads a table as the last step left it.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from service.engine.search import ALIVE
from service.engine.sequence import Ended, Sequence
from service.engine.slots import Slots
from service.messages import Hypothesis, Tokens


@runtime_checkable
class Selves(Protocol):
    """A session that can tell the self-attention of an answer; see `service.engine.session.Session`."""

    def self_attention(self, source: np.ndarray, ids: Many[int]) -> dict[str, np.ndarray]: ...


def answers(table: Slots, place: int) -> tuple[Hypothesis, ...]:
    """The n best hypotheses of a guest, best first; what it lacks is filled up with its best unfinished ones."""
    guest, steps = table.guests[place], int(table.steps[place])
    for row in range(int(table.beams[place])):
        if len(guest.ended) >= guest.job.options.n_best or table.scores[place, row] < ALIVE:
            break
        score = float(table.scores[place, row] / steps ** table.penalties[place])
        guest.end(Ended(table.trail.told(place, row, steps), score, "length"))
    return tuple(_hypothesis(table, place, one) for one in guest.ended)


def whole(session: object, guest: Sequence) -> tuple[Hypothesis, ...]:
    """The answers of a guest; the best one with the model's self-attention, if every layer and head was asked for."""
    options = guest.job.options
    if not (options.attention and options.heads and guest.answers and isinstance(session, Selves)):
        return guest.answers
    best, *others = guest.answers
    found = session.self_attention(guest.job.inputs["source"], best.ids)
    return (replace(best, extras={**best.extras, **found}), *others)


def told(table: Slots) -> Iterator[tuple[Sequence, Tokens]]:
    """What the leading hypotheses of those who listen say now, as changes to what they were told before."""
    for place, guest in enumerate(table.guests if table.listeners else ()):
        if guest.job.options.stream and table.scores[place, 0] >= ALIVE:
            yield guest, _change(table, guest, place)


def _change(table: Slots, guest: Sequence, place: int) -> Tokens:
    leading, before = table.trail.told(place, 0, int(table.steps[place])), guest.streamed
    common = min(len(before), len(leading.ids))
    differs = np.nonzero(leading.ids[:common] != before[:common])[0]
    kept = int(differs[0]) if len(differs) else common
    guest.streamed = leading.ids
    rows, extras = _rows(table, place, leading.path, kept)
    return Tokens(guest.job.id, kept, leading.ids[kept:].tolist(), leading.logprobs[kept:], rows, extras)


def _hypothesis(table: Slots, place: int, one: Ended) -> Hypothesis:
    """An ended hypothesis with the rows along its path."""
    rows, extras = _rows(table, place, one.told.path)
    return Hypothesis(one.told.ids.tolist(), one.told.logprobs, one.score, one.finish_reason, rows, extras)


def _rows(
    table: Slots, place: int, path: np.ndarray, first: int = 0
) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    """The attention that a guest asked for, along a path from a step on, and its scalars."""
    wanted, layout = table.wants[place], table.layout
    if not wanted:
        return None, {}
    shown, *extras = layout.row or ("",)
    name = layout.heads[0] if wanted > 1 and layout.heads else shown
    along = table.trail.along(place, path, int(table.lengths[place]), [name, *extras], first)
    return along.pop(name, None), along
