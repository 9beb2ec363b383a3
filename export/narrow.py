"""Products with a single column, such as v · tanh(…) of additive attention, as onnxruntime does them fastest.

It packs a constant matrix into panels of 16 columns, and here 15 of them would be empty. A constant batch of matrices
is not packed, and the kernel for a matrix and a vector does it (docs/log.md, "Rows that cannot win").
Knows nothing of nets.
"""

from __future__ import annotations

import onnx
from onnx import numpy_helper


def unpack(graph: onnx.GraphProto) -> None:
    """Give products with a constant of one column (width, 1) a batch of one (1, width, 1)."""
    constants = {one.name: one for one in graph.initializer}
    for node in graph.node:
        column = constants.get(node.input[1]) if node.op_type == "MatMul" else None
        if column is not None and len(column.dims) == 2 and column.dims[1] == 1:
            column.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(column)[None], column.name))
