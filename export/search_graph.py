"""The beam's arithmetic around a net's step: gather of the state by row, log-softmax, top C of beam x vocabulary.

Knows nothing of nets. Takes the core graph (token, states, memory, mask -> logits, states, attention)
and adds what `service.engine` expects of every step graph (see `export.plan`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bundle.graphs import Tensor as Named
from bundle.text import PAD
from export.plan import Plan

OPSET = 20
BEST = ["search_row_best", "search_row_ids"]  # of each row the best k: log-probabilities, and which pieces
BLOCK, LEAST = 16, 1024  # pieces of a block; fewer pieces in all are looked through at once
TYPES = {"int64": TensorProto.INT64, "float32": TensorProto.FLOAT, "bool": TensorProto.BOOL, "int32": TensorProto.INT32}


def value(named: Named) -> onnx.ValueInfoProto:
    """A graph input or output as the manifest describes it."""
    return helper.make_tensor_value_info(named.name, TYPES[named.dtype], list(named.axes))


def add_search(core: onnx.ModelProto, plan: Plan) -> onnx.ModelProto:
    """The step graph around a core graph, which is the plan's own or another precision of it."""
    graph = core.graph
    gathers = [helper.make_node("Gather", [one.name, "rows"], [f"{one.name}_in"], axis=0) for one in plan.states]
    made = helper.make_graph(
        [*gathers, *_by_row(graph.node, plan), *_rows(plan), *tail(plan.pieces)],
        "step",
        [value(one) for one in plan.step_inputs],
        [value(one) for one in plan.step_outputs],
        [*graph.initializer, *constants(plan.pieces, plan.fields["vocabulary_size"])],
        value_info=graph.value_info,
    )
    imports = [one for one in core.opset_import if one.domain] + [helper.make_opsetid("", OPSET)]
    return helper.make_model(made, opset_imports=imports, ir_version=10)


def _by_row(nodes: Iterable[onnx.NodeProto], plan: Plan) -> list[onnx.NodeProto]:
    """The core's nodes, with another name for new states: theirs is that of the rows."""
    renamed = {f"{one.name}_out": f"{one.name}_by_row" for one in plan.states}
    copies = []
    for node in nodes:
        copy = onnx.NodeProto.FromString(node.SerializeToString())
        for side in (copy.input, copy.output):
            side[:] = [renamed.get(name, name) for name in side]
        copies.append(copy)
    return copies


def _rows(plan: Plan) -> list[onnx.NodeProto]:
    """New states (B, K, width) as rows (R, width), the form in which the next step takes them."""
    return [
        helper.make_node("Flatten", [f"{one.name}_by_row"], [f"{one.name}_out"], axis=2, name=f"{one.name}_rows")
        for one in plan.states
    ]


def constants(pieces: np.ndarray | None, vocabulary: int) -> list[onnx.TensorProto]:
    """What the nodes of `tail` read, of a vocabulary of so many pieces."""
    arrays = {"search_flat": np.array([0, -1]), "search_last": np.array([-1])}
    arrays |= {"search_one": np.array([1]), "search_two": np.array([2])}
    if pieces is not None:
        place = np.full(vocabulary, int(np.nonzero(pieces == PAD)[0][0]))
        place[pieces] = np.arange(len(pieces))  # of a piece that is not there, that of one never said
        arrays |= {"search_pieces": pieces, "search_place_of": place}
    if pieces is not None and _in_blocks(pieces):
        each = len(pieces) // BLOCK
        arrays |= {"search_each": np.array([each]), "search_by_block": np.array([0, 0, BLOCK, each])}
        arrays |= {"search_across": np.arange(BLOCK)[:, None] * each, "search_in_row": np.array([0, 0, -1])}
    return [numpy_helper.from_array(array.astype(np.int64), name) for name, array in arrays.items()]


def pieces_of(step: onnx.ModelProto) -> np.ndarray | None:
    """The pieces (C,) whose scores a step graph has, where these are not all."""
    return next((numpy_helper.to_array(one) for one in step.graph.initializer if one.name == "search_pieces"), None)


def _in_blocks(pieces: np.ndarray | None) -> bool:
    """Whether a row's best pieces are looked for in two courses."""
    return pieces is not None and len(pieces) >= LEAST and len(pieces) % BLOCK == 0


def _best_by_block(node: Callable[..., onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The best k of each row, as TopK finds them: they are in the k blocks whose best pieces are the best.

    A maximum of 16 pieces is taken by vector instructions, TopK compares one by one. Piece i is in block i % (V / 16),
    so that the sixteen lie one row of memory apart.
    """
    return [
        node("Reshape", ["search_logp", "search_by_block"], ["search_blocks"]),  # (B, K, 16, V / 16)
        node("ReduceMax", ["search_blocks", "search_two"], ["search_block_best"], keepdims=0),
        node("Min", ["search_of_row", "search_each"], ["search_of_blocks"]),
        node("TopK", ["search_block_best", "search_of_blocks"], ["search_block_scores", "search_block_ids"], sorted=0),
        node("Unsqueeze", ["search_block_ids", "search_two"], ["search_block_first"]),
        node("Add", ["search_block_first", "search_across"], ["search_block_all"]),  # (B, K, 16, k)
        node("Reshape", ["search_block_all", "search_in_row"], ["search_some_ids"]),  # (B, K, 16 * k)
        node("GatherElements", ["search_logp", "search_some_ids"], ["search_some"], axis=2),
        node("TopK", ["search_some", "search_of_row"], ["search_row_best", "search_some_places"], axis=-1),
        node("GatherElements", ["search_some_ids", "search_some_places"], ["search_row_ids"], axis=2),
    ]


def tail(pieces: np.ndarray | None) -> list[onnx.NodeProto]:
    """logits (B, K, V), scores (B, K), candidates (1,), forced (B, K) -> the four outputs of the search.

    The best of each row first, then the top C of a request's rows: the second is small. C is twice the beam's width W,
    or one; of one row W + 1 are enough, W that go on and one that ends. Where the logits are of some pieces only, ids
    are translated: forced ones on the way in, chosen ones on the way out.
    """

    def node(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(op, inputs, outputs, name=f"search_{outputs[0]}", **attributes)

    chosen = "tokens_out" if pieces is None else "search_chosen"
    forced = "forced" if pieces is None else "search_forced_place"
    ids = [
        node("Gather", ["search_place_of", "forced"], ["search_forced_place"]),
        node("Gather", ["search_pieces", "search_chosen"], ["tokens_out"]),
    ]
    nodes = [
        node("LogSoftmax", ["logits"], ["search_logp"], axis=-1),
        node("Div", ["candidates", "search_two"], ["search_half"]),
        node("Add", ["search_half", "search_one"], ["search_more"]),
        node("Min", ["search_more", "candidates"], ["search_of_row"]),
        *(
            _best_by_block(node)
            if _in_blocks(pieces)
            else [node("TopK", ["search_logp", "search_of_row"], BEST, axis=-1)]
        ),
        node("Unsqueeze", ["scores", "search_last"], ["search_scores"]),
        node("Add", ["search_row_best", "search_scores"], ["search_totals"]),  # (B, K, C)
        node("Reshape", ["search_totals", "search_flat"], ["search_flat_totals"]),  # (B, K * C)
        node("TopK", ["search_flat_totals", "candidates"], ["scores_out", "search_places"], axis=-1),
        node("Reshape", ["search_row_ids", "search_flat"], ["search_flat_ids"]),
        node("GatherElements", ["search_flat_ids", "search_places"], [chosen], axis=1),
        node("Div", ["search_places", "search_of_row"], ["parents_out"]),
        node("Unsqueeze", [forced, "search_last"], ["search_forced"]),
        node("GatherElements", ["search_logp", "search_forced"], ["search_forced_logp"], axis=2),
        node("Squeeze", ["search_forced_logp", "search_last"], ["search_forced_best"]),
        node("Add", ["search_forced_best", "scores"], ["forced_out"]),
    ]
    return nodes if pieces is None else [ids[0], *nodes, ids[1]]
