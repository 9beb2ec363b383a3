"""How widely a map looks, as one number: 0 where every word looks at one place, 1 where all look everywhere alike.

Knows nothing of words, pictures or envelopes.
"""

from __future__ import annotations

from math import log

import numpy as np


def entropy(rows: np.ndarray) -> float | None:
    """The mean over rows (T, S) of −Σ α log α / log S; None of what is not one map, such as every head's rows at once.

    Every head of a long answer has millions of weights, which nobody asked to have summed while others wait.
    """
    if rows.ndim != 2 or not rows.size:
        return None
    if rows.shape[1] == 1:
        return 0.0
    weights = np.maximum(rows, 1e-30, dtype=np.float32)  # α log α goes to 0 with α
    return float(-(weights * np.log(weights)).sum() / (len(rows) * log(rows.shape[1])))
