"""A batch that nobody leaves early: the same answers as ours, and more work for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.peers.inside.batches import Whole
from bundle.manifest import Bundle
from bundle.text import EOS
from service.engine.loop import Loop
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options


class Counting:
    """A loop that counts the rows it steps."""

    stepped: list[int]

    def step(self) -> None:
        self.stepped.append(self.seated())  # type: ignore[attr-defined]
        super().step()  # type: ignore[misc]


@pytest.mark.parametrize("toy", ["toy-echo", "toy-transformer", "toy-recurrent"])
def test_a_whole_batch_gives_the_same_answers_for_more_rows(toys: Path, toy: str) -> None:
    session = Session(Bundle(toys / toy), precision="fp32")
    lengths = [2, 9, 5, 12, 3]
    sources = [np.array([*range(5, 5 + length), EOS], np.int64) for length in lengths]
    jobs = [
        Job(str(i), toy, {"source": source}, Options(3, max_length=2 * len(source))) for i, source in enumerate(sources)
    ]
    found, rows = {}, {}
    for kind in (Loop, Whole):
        counted: list[int] = []
        counting = type("Counted", (Counting, kind), {"stepped": counted})
        found[kind] = answers(session, jobs, rows=64, newcomers=8, kind=counting)
        rows[kind] = counted
    for ours, whole in zip(found[Loop], found[Whole], strict=True):
        assert list(ours.hypotheses[0].ids) == list(whole.hypotheses[0].ids)
        assert ours.hypotheses[0].score == pytest.approx(whole.hypotheses[0].score, abs=1e-4)
    full = max(rows[Whole])
    assert set(rows[Whole]) == {full}, "every step is as large as the first"
    assert sum(rows[Loop]) < sum(rows[Whole])
