"""A bundle whose engine differs from torch is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from bundle.manifest import Bundle
from bundle.text import EOS
from export import toy
from export.build import build
from export.parity import NotEqual, compare, demand
from export.plan import Plan
from export.samples import Inputs
from export.toy import SENTENCES, described, recurrent_plan
from service.engine.session import Session, share_threads

PIECES = 100


def inputs(*lengths: int) -> list[Inputs]:
    random = np.random.default_rng(1)
    return [{"source": np.array([*random.integers(4, PIECES, n), EOS])} for n in lengths]


@pytest.fixture
def plan() -> Plan:
    share_threads(2)
    torch.manual_seed(3)
    return recurrent_plan(PIECES)


def test_torch_and_the_engine_agree_alone_and_in_batches_of_up_to_five(toys: Path) -> None:
    torch.manual_seed(1)
    net = recurrent_plan(len(Bundle(toys / "toy-recurrent").text))
    session = Session(Bundle(toys / "toy-recurrent"), precision="fp32")
    for batch in range(1, 6):
        found = compare(net.stepper, session, inputs(*range(2, 2 + 3 * batch, 3)), forced=False, limit=15)
        assert found.tokens_differ == 0 and found.rows_max < 1e-5
        demand(found, exact=True)


def test_a_net_with_other_weights_is_refused(toys: Path, plan: Plan) -> None:
    session = Session(Bundle(toys / "toy-recurrent"), precision="fp32")
    with pytest.raises(NotEqual, match="answers differ"):
        demand(compare(plan.stepper, session, inputs(3, 5), forced=False, limit=15), exact=True)


def test_rows_that_differ_are_refused_though_the_words_are_right(toys: Path) -> None:
    torch.manual_seed(1)
    net = recurrent_plan(len(Bundle(toys / "toy-recurrent").text))
    session = Session(Bundle(toys / "toy-recurrent"), precision="fp32")
    step = session.step

    def turned(feeds: dict[str, np.ndarray], kept: Sequence[str]) -> dict[str, np.ndarray]:
        out = step(feeds, kept)
        out["attention"] = np.roll(out["attention"], 1, axis=-1)
        return out

    session.step = turned  # type: ignore[method-assign, assignment]
    with pytest.raises(NotEqual, match="attention"):
        demand(compare(net.stepper, session, inputs(3, 5), forced=True, limit=15), exact=True)


def test_nothing_is_written_when_a_bundle_is_refused(
    tmp_path: Path, toys: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = recurrent_plan(PIECES)
    monkeypatch.setattr(plan, "stepper", wrong.stepper)
    vocabulary = toys / "toy-recurrent" / "vocabulary.model"
    with pytest.raises(NotEqual):
        build(tmp_path / "made", plan, vocabulary, described("toy-recurrent"), inputs(3, 4))
    assert not (tmp_path / "made").exists()


def test_a_toy_is_the_same_each_time_it_is_made(toys: Path, tmp_path: Path) -> None:
    toy.toy(tmp_path, "toy-echo")
    once, again = (Bundle(folder / "toy-echo").manifest.digests for folder in (toys, tmp_path))
    assert {name: again[name] for name in again if name != "README.md"} == {
        name: once[name] for name in once if name != "README.md"
    }
    assert len(SENTENCES) == int(Bundle(tmp_path / "toy-echo").manifest.made_with["parity_inputs"])
