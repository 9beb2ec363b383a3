"""What a loop counts: its steps, its guests and their waits, in lists that are made once and only added to.

Knows nothing of Prometheus, of processes, or of what is asked. One thread writes; whoever reads meanwhile may see a
number of a moment ago. Nothing here takes a lock: a step costs two bisections and four additions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

WAITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
STEPS = (
    *(0.00025, 0.0005, 0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012, 0.016, 0.024, 0.032, 0.048, 0.064),
    *(0.128, 0.256, 0.512, 1.0, 5.0),
)
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 96.0, 128.0, 192.0, 256.0, 384.0, 512.0, 1024.0, 4096.0)

# Upper bounds of the buckets by name, in the order in which they stand in `Figures.counts`: for each its buckets (one
# more than it has bounds) and the sum of what was noted; then the counters.
HISTOGRAMS: Mapping[str, tuple[float, ...]] = {
    "step_duration_seconds": STEPS,
    "step_rows": ROWS,
    "queue_wait_seconds": WAITS,
    "time_to_first_token_seconds": WAITS,
}
COUNTERS = ("tokens_out", "cancelled")
LEVELS = ("queue_depth", "seated_sequences")
SIZE = sum(len(bounds) + 2 for bounds in HISTOGRAMS.values()) + len(COUNTERS)

Key = tuple[str, str]  # model, device


class Figures(NamedTuple):
    """`counts` (SIZE,) only grow while a loop lives; `levels` (len(LEVELS),) are of this moment."""

    counts: np.ndarray
    levels: np.ndarray


class Vitals(NamedTuple):
    """How the engines behind a link are. Counts never fall, whoever of them is replaced."""

    figures: Mapping[Key, Figures] = {}
    up: Mapping[str, int] = {}  # workers that take jobs now, by device
    restarts: Mapping[str, int] = {}  # workers replaced because they died, by device
    homeless: Mapping[str, int] = {}  # beam rows that wait for any worker at all, by model


def named(model: str) -> str:
    """A model's name without its version: counts of the one that leaves and the one that comes are one line."""
    return model.partition("@")[0]


class Distribution:
    """How often a value came to lie in each bucket, and the sum of all."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.total = bounds, 0.0
        self.buckets = [0] * (len(bounds) + 1)  # a list's item is added to in a third of the time of an array's

    def note(self, value: float) -> None:
        """Count a value: a bucket holds those up to and with its bound."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.total += value


class Tally:
    """Everything that one loop counts."""

    def __init__(self) -> None:
        self.steps, self.rows, self.queued, self.first = (Distribution(bounds) for bounds in HISTOGRAMS.values())
        self.tokens = self.cancelled = 0

    def figures(self, queue_depth: int, seated: int) -> Figures:
        """A copy of it all, with the levels of now."""
        counts: list[float] = []
        for one in (self.steps, self.rows, self.queued, self.first):
            counts += [*one.buckets, one.total]
        counts += [self.tokens, self.cancelled]
        return Figures(np.array(counts), np.array([queue_depth, seated], float))


def histogram(counts: np.ndarray, name: str) -> tuple[np.ndarray, float]:
    """Of all counts, the buckets (len(bounds) + 1,) of a histogram and its sum."""
    start = _starts()[name]
    end = start + len(HISTOGRAMS[name]) + 1
    return counts[start:end], float(counts[end])


def counter(counts: np.ndarray, name: str) -> float:
    """Of all counts, a counter."""
    return float(counts[SIZE - len(COUNTERS) + COUNTERS.index(name)])


def quantile(bounds: tuple[float, ...], buckets: np.ndarray, share: float) -> float | None:
    """The value below which this share lies, linear within its bucket; None of nothing, the last bound beyond it."""
    total = float(buckets.sum())
    if not total:
        return None
    upto = np.cumsum(buckets)
    place = int(np.searchsorted(upto, share * total))
    if place >= len(bounds):
        return bounds[-1]
    low, before = (bounds[place - 1], float(upto[place - 1])) if place else (0.0, 0.0)
    return low + (bounds[place] - low) * (share * total - before) / float(buckets[place])


def _starts() -> dict[str, int]:
    """Where each histogram begins."""
    starts, place = {}, 0
    for name, bounds in HISTOGRAMS.items():
        starts[name] = place
        place += len(bounds) + 2
    return starts
