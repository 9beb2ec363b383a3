"""How it went lately: the difference between what was counted a minute ago and what is counted now.

Pure: no clock of its own. Memory is bounded by the number of marks kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from service.telemetry.figures import HISTOGRAMS, SIZE, Key, Vitals, counter, histogram, quantile

EVERY, MOST = 5.0, 13  # seconds between marks, and how many are kept: a minute
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Mark(NamedTuple):
    """What was counted at a time: by engines, and requests by model."""

    now: float
    counts: Mapping[Key, np.ndarray]
    requests: Mapping[str, int]


class Lately(NamedTuple):
    """One model over `seconds`; quantiles by name are None where nothing happened."""

    seconds: float
    requests: int
    tokens: float
    rows_a_step: float | None
    quantiles: Mapping[str, Mapping[str, float | None]]  # of each histogram in seconds


class Recent:
    """Marks, oldest first."""

    def __init__(self) -> None:
        self.marks: deque[Mark] = deque(maxlen=MOST)

    def mark(self, vitals: Vitals, requests: Mapping[str, int], now: float) -> None:
        """Note where the counts stand."""
        self.marks.append(_mark(vitals, requests, now))

    def lately(self, model: str, vitals: Vitals, requests: Mapping[str, int], now: float) -> Lately:
        """What came since the oldest mark, or since the beginning if there is none."""
        then = self.marks[0] if self.marks else Mark(now, {}, {})
        here = _mark(vitals, requests, now)
        new = _of(here, model) - _of(then, model)
        buckets, rows = histogram(new, "step_rows")
        steps = float(buckets.sum())
        timed = [name for name in HISTOGRAMS if name.endswith("_seconds")]
        return Lately(
            now - then.now,
            here.requests.get(model, 0) - then.requests.get(model, 0),
            counter(new, "tokens_out"),
            rows / steps if steps else None,
            {name.removesuffix("_seconds"): _quantiles(new, name) for name in timed},
        )


def _mark(vitals: Vitals, requests: Mapping[str, int], now: float) -> Mark:
    return Mark(now, {key: told.counts for key, told in vitals.figures.items()}, dict(requests))


def _of(mark: Mark, model: str) -> np.ndarray:
    """A model's counts on all devices."""
    total: np.ndarray = sum((counts for (name, _), counts in mark.counts.items() if name == model), np.zeros(SIZE))
    return total


def _quantiles(counts: np.ndarray, name: str) -> dict[str, float | None]:
    buckets, _ = histogram(counts, name)
    return {label: quantile(HISTOGRAMS[name], buckets, share) for label, share in SHARES.items()}
