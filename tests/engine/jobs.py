"""Jobs for engine tests, from bare ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bundle.text import EOS
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Hypothesis, Job, Options


def job(ids: Sequence[int], name: str = "guest", **options: Any) -> Job:
    """A job whose source is these ids and EOS; options are those of `Options`."""
    return Job(name, "toy", {"source": np.array([*ids, EOS], np.int64)}, Options(**{"max_length": 40, **options}))


def best(session: Session, *jobs: Job, **engine: Any) -> list[Hypothesis]:
    """The best hypothesis of each job, all served together; nets of random weights may loop unless it is said."""
    return [done.hypotheses[0] for done in answers(session, jobs, **{"repeats": 0, **engine})]


def sentence(random: np.random.Generator, length: int) -> list[int]:
    """Random pieces, special ones left out."""
    return [int(piece) for piece in random.integers(4, 100, length)]
