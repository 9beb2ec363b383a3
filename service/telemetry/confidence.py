"""How sure the model was of what it said: the geometric mean of what it gave each piece, for a word or for an answer.

Knows nothing of engines or of drawing, nor whether the answer is right: a model may be sure and wrong. It is the
exponential of the length-normalised log-probability (TP) of Fomicheva et al. 2020, "Unsupervised Quality Estimation
for Neural Machine Translation"; docs/trust.md says how well it goes with quality.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LEAST = 1e-4  # what is rounded to 0 counts as this, or one sentence would decide for all


def confidence(logprobs: Sequence[float]) -> float:
    """Of the log-probabilities of T pieces: 1 if each was certain. An answer's end counts as one of its pieces."""
    return round(math.exp(sum(logprobs) / len(logprobs)), 4)


def together(each: Sequence[float | None]) -> float | None:
    """Of a text of several sentences: the geometric mean of theirs, none counting more than another."""
    known = [one for one in each if one is not None]
    return round(float(np.exp(np.mean(np.log(np.maximum(known, LEAST))))), 4) if known else None
