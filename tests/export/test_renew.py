"""Today's search around a net that was exported before: the same answers, whatever is behind its scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from bundle.manifest import Bundle
from bundle.text import EOS
from export import renew, search_graph
from export.build import build
from export.parity import NotEqual
from export.samples import Inputs
from export.shortlist import WHOLE, shorten
from export.toy import described
from tests.export.third_said import SAID, VOCABULARY, plan_of


@pytest.fixture
def old(toys: Path, tmp_path: Path) -> Path:
    """A bundle as it was made before: as many columns as pieces, and the best of a row found in one course."""
    plan = plan_of()
    plan = replace(plan, core=shorten(plan.core, SAID), pieces=SAID)
    inputs: list[Inputs] = [{"source": np.array([*range(5, 5 + n), EOS])} for n in (3, 6)]
    vocabulary = toys / "toy-recurrent" / "vocabulary.model"
    build(tmp_path / "old", plan, vocabulary, described("toy-short"), inputs)
    return tmp_path / "old"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ops(folder: Path) -> list[str]:
    return [node.op_type for node in onnx.load(folder / "step.int8.onnx").graph.node]


def columns(folder: Path) -> set[int]:
    graph = onnx.load(folder / "step.int8.onnx").graph
    product = next(node for node in graph.node if "logits" in node.output)
    return {one.dims[-1] for one in graph.initializer if one.name in product.input and one.dims}


def test_the_search_is_that_of_today_and_says_the_same(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert columns(old) == {len(SAID)}
    reductions = ops(old).count("ReduceMax")
    monkeypatch.setattr(search_graph, "LEAST", 8)
    renew.renew(old)  # it compares every hypothesis itself
    (wide,) = columns(old)
    assert wide % WHOLE == 0 and wide >= len(SAID)
    assert ops(old).count("ReduceMax") == reductions + 1
    assert Bundle(old).id == "toy-short@0"
    once = contents(old)
    renew.renew(old)
    assert contents(old) == once, "what is of today stays as it is"


def test_a_bundle_that_would_answer_differently_is_left_as_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(pieces: np.ndarray | None, vocabulary: int) -> list[onnx.TensorProto]:
        assert pieces is not None
        return search_graph.constants(np.append(pieces[:4], pieces[4:][::-1]), vocabulary)

    before = contents(old)
    monkeypatch.setattr(renew, "constants", wrong)
    with pytest.raises(NotEqual, match="would be"):
        renew.renew(old)
    assert contents(old) == before
    assert renew.main([str(old)]) == 1


def test_scores_that_are_no_product_are_refused(old: Path) -> None:
    step = onnx.load(old / "step.int8.onnx")
    next(node for node in step.graph.node if "logits" in node.output).op_type = "MatMul"
    with pytest.raises(ValueError, match="not an integer product"):
        renew.renewed(step, VOCABULARY)


def test_where_other_sums_of_one_column_would_say_something_else_the_old_ones_stay(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(graph: onnx.GraphProto) -> None:
        column = next(one for one in graph.initializer if list(one.dims) == [1, 14, 1])
        column.CopyFrom(onnx.numpy_helper.from_array(np.full((1, 14, 1), 9, np.float32), column.name))

    monkeypatch.setattr(renew, "unpack", spoil)
    monkeypatch.setattr(search_graph, "LEAST", 8)
    with pytest.raises(NotEqual):
        renew.renew(old)
    before = ops(old)
    assert renew.main([str(old)]) == 0
    assert ops(old) != before, "the rest is of today"
