"""A guest: one job from its arrival to its end, with the hypotheses it has finished so far.

Knows nothing of arrays of other guests, of sessions, or of who waits for the answer beyond its `sink`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from service.engine.trail import Told
from service.messages import Event, Hypothesis, Job


class Ended(NamedTuple):
    """A hypothesis that ended, or was cut; its rows are still in the trail, along its path."""

    told: Told
    score: float
    finish_reason: str  # "stop" or "length"


@dataclass(eq=False)
class Sequence:
    """A job and where it stands. Times are time.monotonic() seconds."""

    job: Job
    sink: Callable[[Event], None]
    arrived: float
    admitted: float = 0.0
    encoded: float = 0.0
    ended: list[Ended] = field(default_factory=list)
    streamed: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))  # ids told to who listens
    first: list[np.ndarray] = field(default_factory=list)  # the state it began with, if its answer is to be reviewed
    answers: tuple[Hypothesis, ...] = ()  # what it found, while its answer is reviewed
    waiting: bool = False  # in the queue
    cancelled: bool = False

    @property
    def length(self) -> int:
        """Memory positions it needs, where its input tells (text); 0 for pictures."""
        source = self.job.inputs.get("source")
        return 0 if source is None else len(source)

    def end(self, one: Ended) -> float:
        """Keep an ended hypothesis; returns the bar: the score that an unfinished one must beat to matter.

        That is the score of the n-th best ended one; those beyond it are dropped.
        """
        wanted = self.job.options.n_best
        self.ended.append(one)
        self.ended.sort(key=lambda each: (each.finish_reason != "stop", -each.score))
        del self.ended[wanted:]
        return self.ended[-1].score if len(self.ended) == wanted else -np.inf

    def timings(self, now: float) -> dict[str, float]:
        """Seconds by phase, up to now."""
        return {
            "queue": self.admitted - self.arrived,
            "encode": self.encoded - self.admitted,
            "decode": now - self.encoded,
        }
