"""Constants that stay float32 in an int8 graph, kept in the file as float16: half the bytes, the same once loaded.

Recurrent weights and convolutions are not quantised, and were more than half of some bundles. onnxruntime folds the
cast back to float32 while it loads a graph, so that a step costs what it did. Knows nothing of nets.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LEAST = 16_384  # elements; smaller ones save nothing
LARGEST = float(np.finfo(np.float16).max)


def lean(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with its large float32 constants in float16, each widened right before the node that reads it first."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    kept = {one.name for one in graph.initializer if _wants(one)}
    for one in graph.initializer:
        if one.name in kept:
            one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one).astype(np.float16), f"{one.name}_half"))
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        for name in sorted(kept & set(node.input)):
            nodes.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
            kept.remove(name)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return made


def _wants(one: onnx.TensorProto) -> bool:
    """Whether it is a large float32 constant that fits; scales of what is quantised stay as exact as they are."""
    if one.name.endswith("_scale"):
        return False
    if one.data_type != TensorProto.FLOAT or int(np.prod(one.dims)) < LEAST:
        return False
    return float(np.abs(numpy_helper.to_array(one)).max()) <= LARGEST
