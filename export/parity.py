"""Torch against the serving engine on the same inputs: tokens and attention rows. A bundle that differs is refused.

Knows nothing of files; drives the very engine that serves.

In fp32 the engine must give torch's tokens, and its rows to within a rounding error, whatever the
batch it shares. In int8 and fp16 the arithmetic differs by design: there the engine is made to say
torch's words, and its rows must stay close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from bundle.text import BOS, EOS
from export.plan import Stepper
from export.samples import Inputs
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Hypothesis, Job, Options

ROUNDING = 2e-4  # largest difference of a row's entry in fp32
CLOSE = 0.05  # largest mean total-variation distance of rows in int8 and fp16


class NotEqual(ValueError):
    """The serving engine does not do what torch does."""


@dataclass(frozen=True)
class Parity:
    """What was measured over `inputs` inputs: differences of attention rows and of tokens."""

    inputs: int
    tokens: int
    tokens_differ: int
    rows_max: float  # largest absolute difference of one weight
    rows_distance: float  # mean total-variation distance of a row
    logprob_max: float

    def described(self) -> dict[str, str]:
        """For a manifest."""
        return {name: f"{value:.3g}" for name, value in asdict(self).items()}


@torch.no_grad()
def greedy(stepper: Stepper, one: Inputs, limit: int) -> Hypothesis:
    """Torch's own greedy answer to one input, alone, with its rows."""
    place, token = stepper.begin(one), torch.tensor([[BOS]])
    ids: list[int] = []
    logprobs, rows = [], []
    while len(ids) < limit and EOS not in ids:
        result = stepper.follow(token, place)
        best, token = result.logprobs.max(-1)
        place = result.place
        ids.append(int(token))
        logprobs.append(float(best))
        rows.append(result.weights[0, 0].numpy())
    why = "stop" if EOS in ids else "length"
    return Hypothesis(ids, np.array(logprobs, np.float32), sum(logprobs) / len(ids), why, np.stack(rows))


def compare(stepper: Stepper, session: Session, inputs: Sequence[Inputs], *, forced: bool, limit: int = 60) -> Parity:
    """Measure torch against the engine, all inputs sharing its batches; forced: the engine must say torch's words."""
    expected = [greedy(stepper, one, limit) for one in inputs]
    jobs = [
        Job(str(i), "parity", one, Options(1, max_length=limit, prefix=tuple(torchs.ids) if forced else ()))
        for i, (one, torchs) in enumerate(zip(inputs, expected, strict=True))
    ]
    found = [done.hypotheses[0] for done in answers(session, jobs, newcomers=5, repeats=0)]  # as torch, which may loop
    pairs = list(zip(expected, found, strict=True))
    differ = sum(list(a.ids) != list(b.ids) for a, b in pairs)
    same = [(a, b) for a, b in pairs if list(a.ids) == list(b.ids)]
    gaps = [np.abs(a.rows - b.rows) for a, b in same if a.rows is not None and b.rows is not None]
    missing = np.inf if session.manifest.attention else 0.0  # what no map at all counts as
    return Parity(
        inputs=len(inputs),
        tokens=sum(len(a.ids) for a in expected),
        tokens_differ=differ,
        rows_max=max((float(gap.max()) for gap in gaps), default=missing),
        rows_distance=float(np.mean(np.concatenate([gap.sum(-1) / 2 for gap in gaps]))) if gaps else missing,
        logprob_max=max((float(np.abs(a.logprobs - b.logprobs).max()) for a, b in same), default=np.inf),
    )


def demand(parity: Parity, *, exact: bool) -> None:
    """Raise NotEqual if a measurement is not good enough; exact for fp32."""
    if parity.tokens_differ:
        raise NotEqual(f"{parity.tokens_differ} of {parity.inputs} answers differ between torch and the engine")
    if exact and parity.rows_max > ROUNDING:
        raise NotEqual(f"attention differs by up to {parity.rows_max:.2g} between torch and the engine")
    if parity.rows_distance > CLOSE:
        raise NotEqual(f"attention rows differ by {parity.rows_distance:.2g} on average between torch and the engine")
