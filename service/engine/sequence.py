"""A guest: one job from its arrival to its end, with the hypotheses it has finished so far.

Knows nothing of arrays of other guests, of sessions, or of who waits for the answer beyond its `sink`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from service.engine.search import normalised
from service.messages import Event, Hypothesis, Job


@dataclass(eq=False)
class Sequence:
    """A job and where it stands. Times are time.monotonic() seconds."""

    job: Job
    sink: Callable[[Event], None]
    arrived: float
    admitted: float = 0.0
    encoded: float = 0.0
    finished: list[Hypothesis] = field(default_factory=list)
    cancelled: bool = False

    @property
    def length(self) -> int:
        """Memory positions it needs, where its input tells (text); 0 for pictures."""
        source = self.job.inputs.get("source")
        return 0 if source is None else len(source)

    def finish(self, hypothesis: Hypothesis) -> None:
        """Keep a finished hypothesis."""
        self.finished.append(hypothesis)

    def best(self) -> tuple[Hypothesis, ...]:
        """The n best, best first; those that reached their end come before those that were cut."""
        ranked = sorted(self.finished, key=lambda one: (one.finish_reason != "stop", -one.score))
        return tuple(ranked[: self.job.options.n_best])

    def bar(self) -> float:
        """The score that an unfinished hypothesis must beat to matter: that of the n-th best finished one."""
        wanted = self.job.options.n_best
        return (
            sorted((one.score for one in self.finished), reverse=True)[wanted - 1]
            if len(self.finished) >= wanted
            else -np.inf
        )

    def timings(self, now: float) -> dict[str, float]:
        """Seconds by phase, up to now."""
        return {
            "queue": self.admitted - self.arrived,
            "encode": self.encoded - self.admitted,
            "decode": now - self.encoded,
        }


def scored(total: float, length: int, sequence: Sequence) -> float:
    """The normalised score under the sequence's own length penalty."""
    return normalised(total, length, sequence.job.options.length_penalty)
