"""Large constants of int8 graphs, kept as float16 and widened when the graph is loaded."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.lean import LEAST, lean
from service.engine.session import open_graph, share_threads

WIDE = LEAST // 8


def product(weight: np.ndarray, small: np.ndarray) -> onnx.ModelProto:
    """x (N, 8) -> x @ weight + small, and the weight once more, so that two nodes read it."""
    made = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weight"], ["product"]),
            helper.make_node("Add", ["product", "small"], ["sum"]),
            helper.make_node("ReduceMax", ["weight"], ["most"], keepdims=0),
            helper.make_node("Add", ["sum", "most"], ["out"]),
        ],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", WIDE])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(small, "small")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.fixture
def weight() -> np.ndarray:
    share_threads(2)
    return np.random.default_rng(1).standard_normal((8, WIDE)).astype(np.float32)


def test_half_the_bytes_and_nearly_the_same_answers(weight: np.ndarray) -> None:
    small, x = np.ones(WIDE, np.float32), np.random.default_rng(2).standard_normal((3, 8)).astype(np.float32)
    whole = product(weight, small)
    made = lean(whole)
    assert len(made.SerializeToString()) < 0.6 * len(whole.SerializeToString())
    kept = {one.name: one.data_type for one in made.graph.initializer}
    assert kept == {"weight_half": TensorProto.FLOAT16, "small": TensorProto.FLOAT}
    expected, found = (open_graph(one.SerializeToString()).run(None, {"x": x})[0] for one in (whole, made))
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-2)
    assert not np.array_equal(found, expected)


def test_what_float16_cannot_hold_stays_as_it_is(weight: np.ndarray) -> None:
    weight[0, 0] = 1e6
    assert [one.name for one in lean(product(weight, weight[:1])).graph.initializer] == ["weight", "small"]
