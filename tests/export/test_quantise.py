"""int8 and fp16 forms of a graph, small enough to check by hand."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.quantise import half, quantise
from service.engine.session import open_graph, share_threads


def graph(weight: np.ndarray, table: np.ndarray) -> onnx.ModelProto:
    """ids (N,) -> table[ids] @ weight."""
    made = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["rows"]),
            helper.make_node("MatMul", ["rows", "weight"], ["out"]),
        ],
        "product",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["N"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", weight.shape[1]])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(table, "table")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.fixture
def model() -> onnx.ModelProto:
    share_threads(2)
    random = np.random.default_rng(1)
    weight = random.standard_normal((16, 12)).astype(np.float32) * np.linspace(0.01, 3, 12, dtype=np.float32)
    return graph(weight, random.standard_normal((20, 16)).astype(np.float32))


def with_bias(model: onnx.ModelProto, bias: np.ndarray) -> onnx.ModelProto:
    """The same graph with a constant added to what comes out."""
    made: onnx.ModelProto = onnx.ModelProto.FromString(model.SerializeToString())
    made.graph.node[-1].output[0] = "product"
    made.graph.node.append(helper.make_node("Add", ["product", "bias"], ["out"]))
    made.graph.initializer.append(numpy_helper.from_array(bias, "bias"))
    return made


def run(model: onnx.ModelProto, ids: np.ndarray) -> np.ndarray:
    out: np.ndarray = open_graph(model.SerializeToString()).run(["out"], {"ids": ids})[0]
    return out


def test_int8_is_close_in_every_column_whatever_its_scale(model: onnx.ModelProto) -> None:
    ids = np.arange(20)
    expected, found = run(model, ids), run(quantise(model, [{"ids": ids}]), ids)
    assert not np.array_equal(expected, found)
    error = np.abs(expected - found).max(0) / np.abs(expected).max(0)
    assert error.max() < 0.05


def test_int8_weights_keep_a_bit_free_so_that_sums_do_not_saturate_without_vnni(model: onnx.ModelProto) -> None:
    made = quantise(model, [{"ids": np.arange(20)}])
    weights = [numpy_helper.to_array(one) for one in made.graph.initializer if one.name.endswith("_w")]
    assert len(weights) == 1 and weights[0].dtype == np.int8
    assert np.abs(weights[0].astype(int)).max(0).tolist() == [63] * 12


def test_what_a_row_gets_in_int8_does_not_depend_on_its_neighbours(model: onnx.ModelProto) -> None:
    made = quantise(model, [{"ids": np.arange(20)}])
    np.testing.assert_array_equal(run(made, np.arange(20))[7], run(made, np.array([7]))[0])


def test_fp16_is_closer_than_int8_and_keeps_float32_at_its_doors(model: onnx.ModelProto) -> None:
    ids = np.arange(20)
    expected, found = run(model, ids), run(half(model), ids)
    assert found.dtype == np.float32
    assert np.abs(expected - found).max() < 0.05
    assert {one.data_type for one in half(model).graph.initializer} == {TensorProto.FLOAT16}


@pytest.mark.parametrize("size", [12, 1])
def test_a_bias_is_added_whether_the_product_can_do_it_or_not(model: onnx.ModelProto, size: int) -> None:
    bias = np.linspace(-30, 40, size).astype(np.float32)
    ids = np.arange(20)
    made = quantise(with_bias(model, bias), [{"ids": ids}])
    np.testing.assert_allclose(run(made, ids), run(quantise(model, [{"ids": ids}]), ids) + bias, atol=1e-4)
    assert ("Add" in {node.op_type for node in made.graph.node}) == (size == 1)
