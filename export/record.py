"""Recording what a graph is fed while the engine works: the inputs that calibration needs.

Knows nothing of quantisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from export.samples import Inputs
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options

Feeds = list[dict[str, np.ndarray]]


class Recorder:
    """Stands in for an onnxruntime session and keeps every n-th run's inputs."""

    def __init__(self, session: Any, every: int) -> None:
        self.session, self.every, self.runs = session, every, 0
        self.feeds: Feeds = []

    def run(self, names: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """As `onnxruntime.InferenceSession.run`."""
        if self.runs % self.every == 0:
            self.feeds.append({name: np.array(values) for name, values in feeds.items()})
        self.runs += 1
        out: list[np.ndarray] = self.session.run(names, feeds)
        return out


def record(session: Session, inputs: Sequence[Inputs], limit: int = 60) -> dict[str, Feeds]:
    """Serve inputs with a beam of 5 and return what each graph was fed."""
    encoder, stepper, own = Recorder(session.encoder, 1), Recorder(session.stepper, 4), Recorder(session.own, 4)
    session.encoder, session.stepper = encoder, stepper
    if session.own is not None:
        session.own = own
    how = Options(5, max_length=limit, heads=session.own is not None)
    try:
        answers(session, [Job(str(i), "", one, how) for i, one in enumerate(inputs)])
    finally:
        session.encoder, session.stepper, session.own = encoder.session, stepper.session, own.session
    return {"encode": encoder.feeds, "step": stepper.feeds, "self": own.feeds}
