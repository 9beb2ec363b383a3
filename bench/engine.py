"""The engine alone, closed loop: all texts are there at once, and the table stays full.

Knows nothing of HTTP or of other engines. Times are wall-clock seconds of this process.
"""

from __future__ import annotations

import lzma
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bundle.manifest import Bundle
from bundle.text import EOS
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options


class Figures(NamedTuple):
    """The median run."""

    attention: bool
    sentences: float  # a second
    tokens: float  # of the best hypotheses, a second
    steps: int
    step_ms: float  # in onnxruntime, a step
    host_ms: float  # outside onnxruntime, a step
    host_share: float  # of the whole time
    encode_s: float


class Clock:
    """Stands in for an onnxruntime session and adds up its time."""

    def __init__(self, session: Any) -> None:
        self.session, self.seconds, self.runs = session, 0.0, 0

    def run(self, names: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """As `onnxruntime.InferenceSession.run`."""
        started = time.perf_counter()
        out: list[np.ndarray] = self.session.run(names, feeds)
        self.seconds, self.runs = self.seconds + time.perf_counter() - started, self.runs + 1
        return out


def read(path: Path) -> list[str]:
    """The texts of a file, one a line, empty ones left out."""
    content = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    return [line.strip() for line in content.decode().split("\n") if line.strip()]


def measure(
    session: Session, bundle: Bundle, texts: Sequence[str], *, beam: int, rows: int, attention: bool, runs: int
) -> Figures:
    """Translate all texts several times; the run of median speed."""
    options = Options(
        beam,
        length_penalty=bundle.manifest.search.length_penalty,
        max_length=bundle.manifest.limits.target,
        attention=attention,
    )
    inputs = [{"source": np.array([*bundle.text.ids(text), EOS], np.int64)} for text in texts]
    jobs = [Job(str(i), bundle.manifest.name, one, options) for i, one in enumerate(inputs)]
    once(session, jobs[: rows // beam], rows)  # warm
    every = [once(session, jobs, rows) for _ in range(runs)]
    middle = statistics.median_low([one.sentences for one in every])
    return next(one for one in every if one.sentences == middle)


def once(session: Session, jobs: Sequence[Job], rows: int) -> Figures:
    """One run over all jobs."""
    encoder, stepper = Clock(session.encoder), Clock(session.stepper)
    session.encoder, session.stepper = encoder, stepper
    started = time.perf_counter()
    try:
        done = answers(session, jobs, rows=rows)
    finally:
        session.encoder, session.stepper = encoder.session, stepper.session
    seconds = time.perf_counter() - started
    host = seconds - encoder.seconds - stepper.seconds
    tokens = sum(len(one.hypotheses[0].ids) for one in done)
    return Figures(
        jobs[0].options.attention,
        len(jobs) / seconds,
        tokens / seconds,
        stepper.runs,
        1e3 * stepper.seconds / stepper.runs,
        1e3 * host / stepper.runs,
        host / seconds,
        encoder.seconds,
    )
