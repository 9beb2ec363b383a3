"""The vocabulary's product, cut down to the pieces that the target language uses.

A joint vocabulary holds the pieces of both languages; those never seen in a training target are never said either, yet
each costs a column of the largest product of a step, of its softmax and of its top k. Knows nothing of nets.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
from onnx import numpy_helper

from bundle.text import PAD
from export.plan import Plan

WHOLE = 32  # columns


def shortlisted(plan: Plan, pieces: np.ndarray) -> Plan:
    """The same plan for these pieces (C,) alone, special ones included; the net must never say the others either.

    They are filled up with PAD, which is never said, to whole rows of `WHOLE` columns: a product of 5,833 columns takes
    a third longer than one of 5,856.

    Raises:
        ValueError: see `shorten`.
    """
    pieces = filled(pieces)
    return replace(plan, core=shorten(plan.core, pieces), pieces=pieces)


def filled(pieces: np.ndarray) -> np.ndarray:
    """Pieces (C,) and PAD again and again, to whole rows."""
    return np.append(pieces, np.full(-len(pieces) % WHOLE, PAD)).astype(np.int64)


def shorten(core: onnx.ModelProto, pieces: np.ndarray) -> onnx.ModelProto:
    """A core graph whose logits are those of these pieces alone, in their order.

    Raises:
        ValueError: its logits are not a product with a constant, with or without a constant sum.
    """
    made = onnx.ModelProto.FromString(core.SerializeToString())
    makers = {name: node for node in made.graph.node for name in node.output}
    constants = {one.name: one for one in made.graph.initializer}
    node = makers["logits"]
    if node.op_type == "Add":
        product, bias = sorted(node.input, key=lambda name: name in constants)
        _cut(constants, bias, pieces)
        node = makers[product]
    if node.op_type != "MatMul" or node.input[1] not in constants:
        raise ValueError("the logits are not a product with a constant")
    _cut(constants, node.input[1], pieces)
    return made


def _cut(constants: dict[str, onnx.TensorProto], name: str, pieces: np.ndarray) -> None:
    """Keep these columns of a constant."""
    kept = np.ascontiguousarray(numpy_helper.to_array(constants[name])[..., pieces])
    constants[name].CopyFrom(numpy_helper.from_array(kept, name))
