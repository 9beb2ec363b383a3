"""Sums over workers what each counts since its own start, so that nothing falls back when one of them is replaced.

Pure: knows nothing of processes. A worker is whatever the caller names it by. What a worker counted after its last word
is lost with it; that is at most a second's work.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

import numpy as np

from service.telemetry.figures import LEVELS, SIZE, Figures, Key, named

W = TypeVar("W", bound=Hashable)


class Ledger(Generic[W]):
    """Counts of all workers there ever were, levels of those there are."""

    def __init__(self) -> None:
        self.totals: dict[Key, np.ndarray] = {}
        self.last: dict[W, dict[Key, Figures]] = {}

    def hear(self, worker: W, figures: Mapping[Key, Figures]) -> None:
        """Take in what a worker counts; who counts less than before has begun anew, as a model loaded again does."""
        before = self.last.get(worker, {})
        for key, told in figures.items():
            known = before[key].counts if key in before else np.zeros(SIZE)
            new = told.counts - known
            total = self.totals.setdefault(key, np.zeros(SIZE))
            total += told.counts if (new < 0).any() else new
        self.last[worker] = dict(figures)

    def forget(self, worker: W) -> None:
        """A worker is gone; what it counted stays."""
        self.last.pop(worker, None)

    def figures(self) -> dict[Key, Figures]:
        """By model and device; the versions of a model, name@version, are one."""
        found: dict[Key, Figures] = {}
        for (model, device), counts in self.totals.items():
            levels = [told[model, device].levels for told in self.last.values() if (model, device) in told]
            key = named(model), device
            total, level = found.setdefault(key, Figures(np.zeros(SIZE), np.zeros(len(LEVELS))))
            total += counts
            level += sum(levels, np.zeros(len(LEVELS)))
        return found
