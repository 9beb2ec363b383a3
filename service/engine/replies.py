"""What guests are told: their answers at the end; on the way, for those who listen, what their best hypothesis says.

Knows nothing of steps: it reads a table as the last step left it, and asks the session for what no step tells.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from service.engine.search import ALIVE
from service.engine.sequence import Ended, Sequence
from service.engine.slots import Slots
from service.errors import EngineFailed
from service.messages import Done, Failed, Hypothesis, Tokens

log = logging.getLogger("heed.engine")


@runtime_checkable
class Selves(Protocol):
    """A session that can tell the self-attention of an answer; see `service.engine.session.Session`."""

    def self_attention(self, source: np.ndarray, ids: Many[int]) -> dict[str, np.ndarray]: ...


def answers(table: Slots, place: int) -> tuple[Hypothesis, ...]:
    """The n best hypotheses of a guest, best first; what it lacks is filled up with its best unfinished ones."""
    guest, steps = table.guests[place], int(table.steps[place])
    for row in np.argsort(-table.scores[place], kind="stable").tolist():
        if len(guest.ended) >= guest.job.options.n_best or table.scores[place, row] < ALIVE:
            break
        score = float(table.scores[place, row] / steps ** table.penalties[place])
        guest.end(Ended(table.trail.told(place, row, steps), score, "length"))
    return tuple(_hypothesis(table, place, one) for one in guest.ended)


def end(session: object, guest: Sequence, now: float) -> Done | Failed:
    """A guest's end: its answers, the best with the model's self-attention, if every layer and head was asked for.

    If that cannot be had, it is that guest who fails, and not the loop.
    """
    job, answers_ = guest.job, guest.answers
    wanted = job.options.attention and job.options.heads and "source" in job.inputs  # a picture is no text over itself
    if wanted and answers_ and isinstance(session, Selves):
        try:
            found = session.self_attention(job.inputs["source"], answers_[0].ids)
        except Exception as failure:  # noqa: BLE001  whatever it is
            log.warning("job %s has no self-attention: %s", job.id, type(failure).__name__)
            return Failed(job.id, EngineFailed("the self-attention of the answer could not be had"))
        answers_ = (replace(answers_[0], extras={**answers_[0].extras, **found}), *answers_[1:])
    return Done(job.id, answers_, guest.timings(now))


def told(table: Slots) -> Iterator[tuple[Sequence, Tokens]]:
    """What the leading hypotheses of those who listen say now, as changes to what they were told before."""
    for place, guest in enumerate(table.guests if table.listeners else ()):
        if guest.job.options.stream and table.scores[place].max() >= ALIVE:
            yield guest, _change(table, guest, place)


def _change(table: Slots, guest: Sequence, place: int) -> Tokens:
    row, before = int(table.scores[place].argmax()), guest.streamed
    leading = table.trail.told(place, row, int(table.steps[place]))
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
