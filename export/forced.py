"""Is the map of the best hypothesis the map of its words? The largest difference to a forced decode of the same words.

Knows nothing of torch: the bundle and the engine are all there is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from export.samples import Inputs
from service.engine.catalog import NEWCOMERS
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Hypothesis, Job, Options


def forced_difference(session: Session, inputs: Sequence[Inputs], beam: int, limit: int) -> float:
    """Largest absolute difference of a weight between beam search and a forced decode of its best words.

    Raises:
        ValueError: a forced decode did not say the words it was given.
    """
    newcomers = NEWCOMERS[session.manifest.input]
    searched = _best(session, inputs, [()] * len(inputs), beam, limit, newcomers)
    words = [tuple(one.ids) for one in searched]
    forced = _best(session, inputs, words, 1, limit, newcomers)
    largest = 0.0
    for one, other in zip(searched, forced, strict=True):
        if list(one.ids) != list(other.ids) or one.rows is None or other.rows is None:
            raise ValueError("a forced decode said other words")
        largest = max(largest, float(np.abs(one.rows - other.rows).max()))
    return largest


def _best(
    session: Session,
    inputs: Sequence[Inputs],
    prefixes: Sequence[tuple[int, ...]],
    beam: int,
    limit: int,
    newcomers: int,
) -> list[Hypothesis]:
    """The best hypothesis of each input, with its map."""
    jobs = [
        Job(str(i), session.manifest.name, one, Options(beam, max_length=limit, prefix=prefix))
        for i, (one, prefix) in enumerate(zip(inputs, prefixes, strict=True))
    ]
    return [done.hypotheses[0] for done in answers(session, jobs, newcomers=newcomers)]
