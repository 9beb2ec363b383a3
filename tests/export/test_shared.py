"""What graphs hold alike lies on the disk once, and every graph still says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bundle.manifest import WEIGHTS, Bundle
from export.shared import save
from service.engine.session import Session, open_graph, share_threads

RANDOM = np.random.default_rng(1)
BOTH = RANDOM.normal(size=(20, 30)).astype(np.float32)
OWN = RANDOM.normal(size=(30, 20)).astype(np.float32)
SMALL = RANDOM.normal(size=(20,)).astype(np.float32)


def product(*weights: np.ndarray) -> onnx.ModelProto:
    """x @ a @ b … + SMALL."""
    made = [numpy_helper.from_array(one, f"w{place}") for place, one in enumerate(weights)]
    names = ["x", *(f"x{place}" for place in range(len(weights)))]
    nodes = [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(len(weights))]
    nodes.append(helper.make_node("Add", [names[-1], "small"], ["out"]))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 20))]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, ("N", 20))]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [*made, numpy_helper.from_array(SMALL, "small")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def said(graph: str | bytes) -> np.ndarray:
    share_threads(2)  # as conftest does: once a process
    [out] = open_graph(graph).run(None, {"x": np.ones((2, 20), np.float32)})
    return np.asarray(out)


def test_a_weight_of_two_graphs_is_written_once_and_both_say_the_same(tmp_path: Path) -> None:
    first, second = product(BOTH, OWN), product(BOTH, OWN[:, ::-1].copy())
    alone = [one.SerializeToString() for one in (first, second)]
    beside = tmp_path / "weights.bin"
    save({tmp_path / "a.onnx": first, tmp_path / "b.onnx": second}, beside)
    assert beside.stat().st_size == BOTH.nbytes
    for name, whole in zip("ab", alone, strict=True):
        path = tmp_path / f"{name}.onnx"
        assert BOTH.nbytes - 200 < len(whole) - path.stat().st_size < BOTH.nbytes
        np.testing.assert_array_equal(said(str(path)), said(whole))
    assert [one.SerializeToString() for one in (first, second)] == alone  # what was given is as it was


def test_two_weights_begin_where_vectors_do(tmp_path: Path) -> None:
    odd = [BOTH[:, :19].copy(), OWN[:19].copy()]  # neither fills its last vector
    first, second = product(*odd, OWN[:20] + 1), product(*odd, OWN[:20] + 2)
    save({tmp_path / "a.onnx": first, tmp_path / "b.onnx": second}, tmp_path / "weights.bin")
    found = onnx.load(tmp_path / "a.onnx", load_external_data=False).graph.initializer
    starts = [int(e.value) for one in found for e in one.external_data if e.key == "offset"]
    assert len(starts) == 2 and all(start % 64 == 0 for start in starts)
    np.testing.assert_array_equal(said(str(tmp_path / "b.onnx")), said(second.SerializeToString()))


def test_where_nothing_is_shared_there_is_no_file(tmp_path: Path) -> None:
    save({tmp_path / "a.onnx": product(BOTH, OWN), tmp_path / "b.onnx": product(BOTH + 1, OWN + 1)}, tmp_path / "w.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_a_bundle_counts_the_weights_that_its_graphs_share(toys: Path, precision: str) -> None:
    bundle = Bundle(toys / "toy-transformer")
    shared = bundle.path / WEIGHTS.format(precision)
    graphs = [bundle.graph(name, precision).stat().st_size for name in bundle.manifest.graphs]
    assert shared.name in bundle.manifest.digests
    assert bundle.bytes_in(precision) == sum(graphs) + shared.stat().st_size
    assert Session(bundle, precision=precision).least_bytes == bundle.bytes_in(precision)
