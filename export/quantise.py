"""fp32 graphs to int8 (products and tables of constants; fixed activation scales) and to fp16.

Knows nothing of nets. onnxruntime's own quantiser was tried first (docs/log.md): its static mode also
quantises what comes out of a product (a vocabulary's scores in 8 bits), its dynamic mode takes the
activations' range from the whole batch, so that what a guest gets would depend on its neighbours.
Weights use 7 of 8 bits, so that CPUs without VNNI, whose 16-bit sums saturate, answer as those with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16

from export.lean import lean
from service.engine.session import open_graph

SMALLEST = 8  # products with fewer output columns (the energy v·tanh) cost more to quantise than they save
WEIGHT_LEVELS = 63  # of int8's 127; see the module's docstring
MICROSOFT = "com.microsoft"  # the domain of MatMulIntegerToFloat, onnxruntime's fused product


def quantise(model: onnx.ModelProto, feeds: Iterable[Mapping[str, np.ndarray]]) -> onnx.ModelProto:
    """The int8 form of a graph; feeds are recorded inputs, from which the activations' ranges are taken.

    What stays in float32 is kept in the file as float16.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    constants = {one.name: one for one in graph.initializer}
    products = [node for node in graph.node if _wants(node, constants)]
    ranges = observe(model, sorted({node.input[0] for node in products}), feeds)
    biases = _biases(graph, products, constants)
    sums = {node.output[0] for node, _ in biases.values()}
    nodes: list[onnx.NodeProto] = []
    done: set[str] = set()
    for node in graph.node:
        if node.output[0] in sums:
            continue
        if node in products:
            if node.input[0] not in done:
                nodes.append(_activation(graph, node.input[0], *ranges[node.input[0]]))
                done.add(node.input[0])
            nodes.append(_product(graph, node, numpy_helper.to_array(constants[node.input[1]])))
            if node.output[0] in biases:
                add, bias = biases[node.output[0]]
                nodes[-1].input.append(bias)
                nodes[-1].output[0] = add.output[0]
        elif _is_table(node, constants):
            nodes += _table(graph, node, numpy_helper.to_array(constants[node.input[0]]))
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused(graph)
    made.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    return lean(made)


def _biases(
    graph: onnx.GraphProto, products: list[onnx.NodeProto], constants: Mapping[str, onnx.TensorProto]
) -> dict[str, tuple[onnx.NodeProto, str]]:
    """Sums of a product and a constant that the fused product can do itself: its output to the sum and the constant.

    A sum of its own reads and writes the whole result again; for a vocabulary that is the largest array of a step.
    """
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = {}
    for product in products:
        after = readers.get(product.output[0], [])
        if len(after) == 1 and after[0].op_type == "Add":
            other = next(name for name in after[0].input if name != product.output[0])
            columns = constants[product.input[1]].dims[1]
            if other in constants and list(constants[other].dims) == [columns]:
                found[product.output[0]] = (after[0], other)
    return found


def _wants(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> bool:
    """Whether a node is a product with a constant matrix that is worth quantising."""
    weight = constants.get(node.input[1]) if node.op_type == "MatMul" else None
    return weight is not None and len(weight.dims) == 2 and weight.dims[1] >= SMALLEST


def _is_table(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> bool:
    """Whether a node looks rows up in a constant float table, as an embedding does."""
    table = constants.get(node.input[0]) if node.op_type == "Gather" else None
    axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
    return table is not None and table.data_type == TensorProto.FLOAT and len(table.dims) == 2 and axis == 0


def observe(
    model: onnx.ModelProto, names: list[str], feeds: Iterable[Mapping[str, np.ndarray]]
) -> dict[str, tuple[float, float]]:
    """The smallest and largest value that each named tensor takes over the recorded runs."""
    if not names:
        return {}
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    present = {one.name for one in [*model.graph.output, *model.graph.input]}
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in present)
    session = open_graph(watched.SerializeToString())
    outputs = [name for name in names if name not in {one.name for one in model.graph.input}]
    found = dict.fromkeys(names, (0.0, 0.0))
    for feed in feeds:
        seen = dict(zip(outputs, session.run(outputs, dict(feed)), strict=True))
        for name in names:
            values = seen[name] if name in seen else feed[name]
            low, high = found[name]
            found[name] = (min(low, float(values.min())), max(high, float(values.max())))
    return found


def _activation(graph: onnx.GraphProto, name: str, low: float, high: float) -> onnx.NodeProto:
    """Quantise an activation to uint8 over its observed range, zero kept exact."""
    scale = max(high - low, 1e-6) / 255
    zero = int(np.clip(round(-low / scale), 0, 255))
    graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), f"{name}_scale"))
    graph.initializer.append(numpy_helper.from_array(np.array(zero, np.uint8), f"{name}_zero"))
    return helper.make_node("QuantizeLinear", [name, f"{name}_scale", f"{name}_zero"], [f"{name}_q"])


def _product(graph: onnx.GraphProto, node: onnx.NodeProto, weight: np.ndarray) -> onnx.NodeProto:
    """The same product over uint8 activations and int8 weights, its result in float32."""
    activation, output = node.input[0], node.output[0]
    scale = (np.abs(weight).max(0).clip(1e-8) / WEIGHT_LEVELS).astype(np.float32)
    arrays = {
        f"{output}_w": np.round(weight / scale).astype(np.int8),
        f"{output}_w_scale": scale,
        f"{output}_w_zero": np.zeros(weight.shape[1], np.int8),
    }
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())
    names = [f"{activation}_q", f"{output}_w", f"{activation}_scale", f"{output}_w_scale"]
    names += [f"{activation}_zero", f"{output}_w_zero"]
    return helper.make_node("MatMulIntegerToFloat", names, [output], name=node.name, domain=MICROSOFT)


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove constants that no node reads any more."""
    read = {name for node in graph.node for name in node.input}
    kept = [one for one in graph.initializer if one.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _table(graph: onnx.GraphProto, node: onnx.NodeProto, table: np.ndarray) -> list[onnx.NodeProto]:
    """The same look-up in an int8 table with one scale a row: a quarter of the bytes, no product involved."""
    name, ids, output = node.input[0], node.input[1], node.output[0]
    if f"{name}_rows" not in {one.name for one in graph.initializer}:
        scale = (np.abs(table).max(1, keepdims=True).clip(1e-8) / 127).astype(np.float32)
        arrays = {f"{name}_rows": np.round(table / scale).astype(np.int8), f"{name}_row_scale": scale}
        graph.initializer.extend(numpy_helper.from_array(array, key) for key, array in arrays.items())
    return [
        helper.make_node("Gather", [f"{name}_rows", ids], [f"{output}_row"], axis=0),
        helper.make_node("Gather", [f"{name}_row_scale", ids], [f"{output}_row_scale"], axis=0),
        helper.make_node("Cast", [f"{output}_row"], [f"{output}_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{output}_float", f"{output}_row_scale"], [output]),
    ]


def half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The fp16 form of a graph, for GPUs; its inputs and outputs stay float32."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    made: onnx.ModelProto = convert_float_to_float16(copy, keep_io_types=True)
    return made
