"""An answer that goes on to a translator: which one, what it is asked, and its map laid over the first one's.

Knows nothing of HTTP, engines or any one task.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bundle.manifest import AT, Bundle
from bundle.text import has_words
from service.errors import UnknownPair, Where
from service.maps.product import product
from service.maps.words import Answer as Said
from service.messages import Hypothesis, Job
from service.tasks.ways import Leg, legs


def translator(bundles: Mapping[str, Bundle], source: str, target: str | None) -> Leg | None:
    """The model that translates answers in this language, and its pair, if a target was asked for.

    Raises:
        UnknownPair: there is none.
    """
    if target is None:
        return None
    able = [one for key, one in bundles.items() if AT not in key and one.manifest.task == "translate"]
    from_there = [leg for leg in legs(able) if leg.pair.source == source]
    fitting = [leg for leg in from_there if leg.pair.target.lower() == target.lower()]
    if not fitting:
        there = ", ".join(sorted({leg.pair.target for leg in from_there})) or "none"
        detail = f"No model here translates what this one says ({source}) to that language; there is: {there}."
        raise UnknownPair(detail, errors=(Where("/translate_to", "not from this model's language"),))
    return fitting[0]


def asked_of(leg: Leg, text: str, *, rows: bool) -> Job | None:
    """The job of translating an answer, searched as the translator's card says; none if it is no text for it."""
    pieces = leg.pieces(text)
    if not has_words(text) or len(pieces) > leg.room:
        return None
    return leg.job(pieces, leg.usual(rows=rows))


def laid_over(rows: np.ndarray, bundle: Bundle, said: Said, through: np.ndarray) -> np.ndarray:
    """A translation's rows (T, S) over what the first answer's rows (U, cells) look at; rows end where it does."""
    return product(rows, bundle.text.pieces(said.text), through, said.pieces)


def spoken(bundle: Bundle, hypothesis: Hypothesis) -> Said:
    """What a hypothesis says."""
    text, pieces = bundle.text.spelled(hypothesis.ids)
    return Said(text, pieces, hypothesis.logprobs)
