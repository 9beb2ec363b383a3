"""A bundle on disk: sealed, carded, re-sealed when scores are added, and answering to its own manifest."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import BadBundle, Bundle, Score
from bundle.text import EOS
from export.forced import forced_difference
from export.package import add_scores
from export.tune import EncodedOnce
from service.engine.session import Session


@pytest.fixture
def copy(toys: Path, tmp_path: Path) -> Path:
    """A toy that a test may change."""
    return Path(shutil.copytree(toys / "toy-recurrent", tmp_path / "toy-recurrent"))


def score(value: float) -> Score:
    return Score(metric="BLEU", value=value, data="toy set", command="python -m export score …")


def test_scores_go_on_the_card_and_the_bundle_stays_whole(copy: Path) -> None:
    add_scores(copy, Bundle(copy).manifest, [score(12.5)])
    assert Bundle(copy).manifest.scores[0].value == 12.5
    assert "12.5" in (copy / "README.md").read_text()


def test_a_score_measured_again_replaces_the_old_one(copy: Path) -> None:
    add_scores(copy, Bundle(copy).manifest, [score(12.5)])
    add_scores(copy, Bundle(copy).manifest, [score(13.5)])
    assert [one.value for one in Bundle(copy).manifest.scores] == [13.5]


def test_a_graph_that_was_changed_is_noticed(copy: Path) -> None:
    path = copy / "step.int8.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BadBundle, match=r"step\.int8\.onnx: does not have the digest"):
        Bundle(copy)


def test_a_bundle_holds_no_path_of_the_machine_that_made_it(toys: Path) -> None:
    root = str(Path(__file__).parents[2]).encode()
    for path in toys.rglob("*"):
        assert not path.is_file() or root not in path.read_bytes(), path.name


def test_the_forced_difference_is_small_and_sees_a_row_that_stays_behind(recurrent: Session) -> None:
    random = np.random.default_rng(1)
    inputs = [{"source": np.array([*random.integers(4, 100, n), EOS])} for n in (3, 6, 9, 12)]
    assert forced_difference(recurrent, inputs, 5, 12) < 1e-5
    step = recurrent.step

    def behind(feeds: dict[str, np.ndarray], kept: Sequence[str]) -> dict[str, np.ndarray]:
        out = step(feeds, kept)
        out["attention"] = out["attention"][:, ::-1]  # each beam gets another beam's row
        return out

    recurrent.step = behind  # type: ignore[method-assign, assignment]
    try:
        assert forced_difference(recurrent, inputs, 5, 12) > 0.01
    finally:
        del recurrent.step


def test_tuning_encodes_as_serving_does(toys: Path) -> None:
    session = EncodedOnce(Bundle(toys / "toy-recurrent"), precision="fp32")
    one = {"source": np.array([5, 6, EOS])}
    plain = Session(Bundle(toys / "toy-recurrent"), precision="fp32")
    np.testing.assert_array_equal(session.encode([one]).memory["memory"], plain.encode([one]).memory["memory"])
