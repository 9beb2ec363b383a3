"""When requests come and which: a Poisson process and a draw of inputs, from a seed.

Pure: no clock, no socket. Nothing here depends on an answer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Schedule(NamedTuple):
    """N requests: seconds from the start at which each comes, rising, and which input it brings."""

    at: np.ndarray  # (N,) float
    which: np.ndarray  # (N,) int


def poisson(rate: float, seconds: float, inputs: int, seed: int) -> Schedule:
    """Arrivals at `rate` a second on average, gaps exponentially distributed; each brings one of `inputs` inputs."""
    random = np.random.default_rng(seed)
    at = np.empty(0)
    while not len(at) or at[-1] < seconds:
        gaps = random.exponential(1 / rate, max(16, round(rate * seconds)))
        at = np.concatenate([at, (at[-1] if len(at) else 0.0) + np.cumsum(gaps)])
    at = at[at < seconds]
    return Schedule(at, random.integers(inputs, size=len(at)))
