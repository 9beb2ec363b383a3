"""The beam's arithmetic around a net's step: gather of the state by row, log-softmax, top C of beam x vocabulary.

Knows nothing of nets. Takes the core graph (token, states, memory, mask -> logits, states, attention)
and adds what `service.engine` expects of every step graph (see `export.plan`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bundle.manifest import Tensor as Named
from export.plan import Plan

OPSET = 20
TYPES = {"int64": TensorProto.INT64, "float32": TensorProto.FLOAT, "bool": TensorProto.BOOL, "int32": TensorProto.INT32}


def value(named: Named) -> onnx.ValueInfoProto:
    """A graph input or output as the manifest describes it."""
    return helper.make_tensor_value_info(named.name, TYPES[named.dtype], list(named.axes))


def add_search(core: onnx.ModelProto, plan: Plan) -> onnx.ModelProto:
    """The step graph around a core graph, which is the plan's own or another precision of it."""
    graph = core.graph
    gathers = [helper.make_node("Gather", [one.name, "rows"], [f"{one.name}_in"], axis=0) for one in plan.states]
    made = helper.make_graph(
        [*gathers, *graph.node, *_tail()],
        "step",
        [value(one) for one in plan.step_inputs],
        [value(one) for one in plan.step_outputs],
        [*graph.initializer, *_constants()],
    )
    imports = [one for one in core.opset_import if one.domain] + [helper.make_opsetid("", OPSET)]
    return helper.make_model(made, opset_imports=imports, ir_version=10)


def _constants() -> list[onnx.TensorProto]:
    arrays = {"search_flat": np.array([0, -1]), "search_last": np.array([-1])}
    return [numpy_helper.from_array(array.astype(np.int64), name) for name, array in arrays.items()]


def _tail() -> list[onnx.NodeProto]:
    """logits (B, K, V), scores (B, K), candidates (1,), forced (B, K) -> the four outputs of the search.

    Top C of each row first, then the top C of a request's rows: the second is small.
    """

    def node(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(op, inputs, outputs, name=f"search_{outputs[0]}", **attributes)

    return [
        node("LogSoftmax", ["logits"], ["search_logp"], axis=-1),
        node("TopK", ["search_logp", "candidates"], ["search_row_best", "search_row_ids"], axis=-1),
        node("Unsqueeze", ["scores", "search_last"], ["search_scores"]),
        node("Add", ["search_row_best", "search_scores"], ["search_totals"]),  # (B, K, C)
        node("Reshape", ["search_totals", "search_flat"], ["search_flat_totals"]),  # (B, K * C)
        node("TopK", ["search_flat_totals", "candidates"], ["scores_out", "search_places"], axis=-1),
        node("Reshape", ["search_row_ids", "search_flat"], ["search_flat_ids"]),
        node("GatherElements", ["search_flat_ids", "search_places"], ["tokens_out"], axis=1),
        node("Div", ["search_places", "candidates"], ["parents_out"]),
        node("Unsqueeze", ["forced", "search_last"], ["search_forced"]),
        node("GatherElements", ["search_logp", "search_forced"], ["search_forced_logp"], axis=2),
        node("Squeeze", ["search_forced_logp", "search_last"], ["search_forced_best"]),
        node("Add", ["search_forced_best", "scores"], ["forced_out"]),
    ]
