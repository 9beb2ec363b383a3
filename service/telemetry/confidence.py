"""How sure the model was of what it said: the geometric mean of what it gave each piece, for a word or for an answer.

Knows nothing of engines or of drawing, nor whether the answer is right: a model may be sure and wrong. It is the
exponential of the length-normalised log-probability (TP) of Fomicheva et al. 2020, "Unsupervised Quality Estimation
for Neural Machine Translation"; docs/trust.md says how well it goes with quality.
"""

from __future__ import annotations

import numpy as np


def confidence(logprobs: np.ndarray) -> float:
    """Of the log-probabilities (T,) of pieces: 1 if each was certain. An answer's end counts as one of its pieces."""
    return round(float(np.exp(np.mean(logprobs, dtype=np.float64))), 4)
