"""Rows that nobody sits in get no scores: the others' are what they were."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from export import live
from export.narrow import unpack
from export.plan import SEARCH_OUTPUTS, Plan
from export.search_graph import add_search
from export.shortlist import shortlisted
from service.engine.search import ALIVE, DEAD
from service.engine.session import open_graph, share_threads
from tests.export.third_said import SAID, VOCABULARY, plan_of

OUTPUTS = [one.name for one in SEARCH_OUTPUTS]
ALIVE_ROWS = np.array([[True, False], [True, True], [False, True]])


@pytest.fixture(scope="module", params=["whole", "shortlisted"])
def plan(request: pytest.FixtureRequest) -> Plan:
    share_threads(2)
    return plan_of() if request.param == "whole" else shortlisted(plan_of(), SAID)


@pytest.fixture
def feeds(plan: Plan) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    found: dict[str, np.ndarray] = {
        "token": random.integers(4, VOCABULARY, (3, 2)),
        "rows": np.arange(6).reshape(3, 2),
        "scores": np.where(ALIVE_ROWS, random.normal(size=(3, 2)), DEAD).astype(np.float32),
        "forced": random.choice(SAID[4:], (3, 2)),
        "candidates": np.array([4]),
        "mask": np.ones((3, 5), bool),
    }
    for one in plan.step_inputs:
        if one.name not in found:
            shape = [axis if isinstance(axis, int) else {"B": 3, "S": 5, "R": 6}[axis] for axis in one.axes]
            found[one.name] = random.normal(size=shape).astype(np.float32)
    return found


def run(graph: onnx.ModelProto, feeds: dict[str, np.ndarray], *names: str) -> list[np.ndarray]:
    seen = onnx.ModelProto.FromString(graph.SerializeToString())
    present = {one.name for one in seen.graph.output}
    seen.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in present)
    found: list[np.ndarray] = open_graph(seen.SerializeToString()).run(list(names), feeds)
    return found


def test_living_rows_have_the_scores_that_they_have_among_all(plan: Plan, feeds: dict[str, np.ndarray]) -> None:
    some, all_ = (add_search(plan.core, plan, trimmed=trimmed) for trimmed in (True, False))
    scores, tokens, parents, forced = run(some, feeds, *OUTPUTS)
    expected = run(all_, feeds, *OUTPUTS)
    real = expected[0] > ALIVE
    assert real.sum() == 10, "a row that lives alone has three candidates, of four"
    np.testing.assert_allclose(scores[real], expected[0][real], rtol=1e-5)
    np.testing.assert_array_equal(tokens[real], expected[1][real])
    np.testing.assert_array_equal(parents[real], expected[2][real])
    np.testing.assert_allclose(forced[ALIVE_ROWS], expected[3][ALIVE_ROWS], rtol=1e-5)
    assert (scores[~real] < ALIVE).all()


def test_only_living_rows_are_multiplied_with_the_vocabulary(plan: Plan, feeds: dict[str, np.ndarray]) -> None:
    some = add_search(plan.core, plan)
    hidden, logits = run(some, feeds, live.LIVE, "logits")
    assert len(hidden) == len(logits) == 4
    assert run(add_search(plan.core, plan, trimmed=False), feeds, "logits")[0].shape[:2] == (3, 2)


def test_where_logits_are_no_product_whole_rows_of_them_are_left_out(plan: Plan, feeds: dict[str, np.ndarray]) -> None:
    core = onnx.ModelProto.FromString(plan.core.SerializeToString())
    outputs = next(node.output for node in core.graph.node if "logits" in node.output)
    outputs[0] = "almost"
    core.graph.node.append(onnx.helper.make_node("Identity", ["almost"], ["logits"], name="last"))
    graph = add_search(core, plan)
    assert live.LIVE not in {name for node in graph.graph.node for name in node.output}
    assert run(graph, feeds, "logits")[0].shape[0] == 4
    for plain, found in zip(
        run(add_search(plan.core, plan), feeds, *OUTPUTS), run(graph, feeds, *OUTPUTS), strict=True
    ):
        np.testing.assert_allclose(found, plain, rtol=1e-5)


def test_a_graph_is_trimmed_once(plan: Plan) -> None:
    graph = add_search(plan.core, plan)
    before = graph.SerializeToString(deterministic=True)
    live.trim(graph.graph)
    assert graph.SerializeToString(deterministic=True) == before


def test_a_product_with_one_column_is_one_with_a_batch_and_gives_the_same() -> None:
    share_threads(2)
    core = plan_of().core
    narrow = onnx.ModelProto.FromString(core.SerializeToString())
    unpack(narrow.graph)
    columns = [
        [list(one.dims) for one in each.graph.initializer if one.dims and one.dims[-1] == 1 and len(one.dims) > 1]
        for each in (core, narrow)
    ]
    assert columns == [[[14, 1]], [[1, 14, 1]]], "v of additive attention"
    random = np.random.default_rng(2)
    sizes = {"B": 3, "K": 2, "S": 5}
    given = {}
    for one in core.graph.input:
        shape = [axis.dim_value or sizes.get(axis.dim_param, 3) for axis in one.type.tensor_type.shape.dim]
        kind = onnx.helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type)
        given[one.name] = np.ones(shape, kind) if kind != np.float32 else random.normal(size=shape).astype(kind)
    for plain, found in zip(
        run(core, given, "logits", "attention"), run(narrow, given, "logits", "attention"), strict=True
    ):
        np.testing.assert_allclose(found, plain, atol=1e-5)
