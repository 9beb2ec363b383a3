"""The engine alone, closed loop: all texts are there at once, and the table stays full.

Knows nothing of HTTP or of other engines. Times are wall-clock seconds of this process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.texts import read
from bundle.manifest import Bundle
from bundle.text import EOS
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.messages import Job, Options


class Figures(NamedTuple):
    """The median run."""

    attention: bool
    trust: bool  # whether every answer was said again under other attention
    sentences: float  # a second
    tokens: float  # of the best hypotheses, a second
    steps: int
    step_ms: float  # in onnxruntime, a step
    host_ms: float  # outside onnxruntime, a step
    host_share: float  # of the whole time
    encode_s: float
    cpu_s: float  # of all threads of this process: what other processes take does not count


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


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="a text a line; .xz files are unpacked")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--beam", type=int, help="default: the manifest's")
    parser.add_argument("--rows", type=int, default=320, help="beam rows stepped at once")
    parser.add_argument("--runs", type=int, default=5, help="the median run is reported")


def run(given: argparse.Namespace) -> int:
    """Measure without and with attention, and print both."""
    share_threads(given.threads)
    bundle = Bundle(given.bundle)
    session = Session(bundle, precision=given.precision)
    texts = read(*given.texts)
    beam = given.beam or bundle.manifest.search.beam_size
    heads = f"{'sentences/s':>12} {'tokens/s':>9} {'ms a step':>10} {'host ms':>8} {'host %':>7}"
    print(f"{'attention':>10} {'trust':>6} {heads}")
    for attention, trust in ((False, False), (True, False), (True, True)):
        how = Options(
            beam,
            length_penalty=bundle.manifest.search.length_penalty,
            max_length=bundle.manifest.limits.target,
            attention=attention,
            trials=trust,
        )
        found = measure(session, bundle, texts, how, rows=given.rows, runs=given.runs)
        print(
            f"{attention!s:>10} {trust!s:>6} {found.sentences:>12.1f} {found.tokens:>9.0f} {found.step_ms:>10.2f} "
            f"{found.host_ms:>8.2f} {100 * found.host_share:>7.1f}"
        )
        settings = {"bundle": bundle.manifest.name, "precision": given.precision, "threads": given.threads}
        print(json.dumps({**settings, "beam": beam, "rows": given.rows, "texts": len(texts), **found._asdict()}))
    return 0


def measure(
    session: Session, bundle: Bundle, texts: Sequence[str], options: Options, *, rows: int, runs: int
) -> Figures:
    """Translate all texts several times; the run of median speed."""
    inputs = [{"source": np.array([*bundle.text.ids(text), EOS], np.int64)} for text in texts]
    jobs = [Job(str(i), bundle.manifest.name, one, options) for i, one in enumerate(inputs)]
    once(session, jobs[: rows // options.beam_size], rows)  # warm
    every = [once(session, jobs, rows) for _ in range(runs)]
    middle = statistics.median_low([one.sentences for one in every])
    return next(one for one in every if one.sentences == middle)


def once(session: Session, jobs: Sequence[Job], rows: int) -> Figures:
    """One run over all jobs."""
    encoder, stepper = Clock(session.encoder), Clock(session.stepper)
    session.encoder, session.stepper = encoder, stepper
    started, spent = time.perf_counter(), time.process_time()
    try:
        done = answers(session, jobs, rows=rows)
    finally:
        session.encoder, session.stepper = encoder.session, stepper.session
    seconds, spent = time.perf_counter() - started, time.process_time() - spent
    host = seconds - encoder.seconds - stepper.seconds
    tokens = sum(len(one.hypotheses[0].ids) for one in done)
    return Figures(
        jobs[0].options.attention,
        jobs[0].options.trials,
        len(jobs) / seconds,
        tokens / seconds,
        stepper.runs,
        1e3 * stepper.seconds / stepper.runs,
        1e3 * host / stepper.runs,
        host / seconds,
        encoder.seconds,
        spent,
    )
