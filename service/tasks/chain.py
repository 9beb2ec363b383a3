"""An answer that goes on to a translator: which one, what it is asked, and its map laid over the first one's.

Knows nothing of HTTP, engines or any one task.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bundle.manifest import AT, Bundle
from bundle.text import EOS, has_words
from service.errors import UnknownPair, Where
from service.maps.product import product
from service.maps.words import Answer as Said
from service.messages import Hypothesis, Job, Options
from service.tasks.contract import job


def translator(bundles: Mapping[str, Bundle], source: str, target: str | None) -> Bundle | None:
    """The bundle that translates answers in this language, if a target was asked for.

    Raises:
        UnknownPair: there is none.
    """
    if target is None:
        return None
    from_there = [
        one
        for key, one in bundles.items()
        if AT not in key and one.manifest.task == "translate" and one.manifest.source == source
    ]
    fitting = [one for one in from_there if one.manifest.target.lower() == target.lower()]
    if not fitting:
        there = ", ".join(sorted({one.manifest.target for one in from_there})) or "none"
        detail = f"No model here translates what this one says ({source}) to that language; there is: {there}."
        raise UnknownPair(detail, errors=(Where("/translate_to", "not from this model's language"),))
    return fitting[0]


def asked_of(bundle: Bundle, text: str, *, rows: bool) -> Job | None:
    """The job of translating an answer, searched as the translator's card says; none if it is no text for it."""
    ids = [*bundle.text.ids(text), EOS]
    if not has_words(text) or len(ids) > bundle.manifest.limits.source:
        return None
    usual, limits = bundle.manifest.search, bundle.manifest.limits
    how = Options(usual.beam_size, 1, usual.length_penalty, limits.target, attention=rows)
    return job(bundle, {"source": np.array(ids, np.int64)}, how)


def laid_over(rows: np.ndarray, bundle: Bundle, said: Said, through: np.ndarray) -> np.ndarray:
    """A translation's rows (T, S) over what the first answer's rows (U, cells) look at; rows end where it does."""
    return product(rows, bundle.text.pieces(said.text), through, said.pieces)


def spoken(bundle: Bundle, hypothesis: Hypothesis) -> Said:
    """What a hypothesis says."""
    text, pieces = bundle.text.spelled(hypothesis.ids)
    return Said(text, pieces, hypothesis.logprobs)
