"""The beam's arithmetic around a net's step: gather of the state by row, log-softmax, top C of beam x vocabulary.

Knows nothing of nets. Takes the core graph (token, states, memory, mask -> logits, states, attention)
and adds what `service.engine` expects of every step graph (see `export.plan`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bundle.graphs import Tensor as Named
from bundle.text import PAD
from export.live import trim
from export.narrow import unpack
from export.plan import Plan
from service.engine.search import ALIVE

OPSET = 20
BEST = ["search_row_best", "search_row_ids"]  # of each living row the best k: log-probabilities, and which pieces
BLOCK, LEAST = 16, 1024  # pieces of a block; fewer pieces in all are looked through at once
TYPES = {"int64": TensorProto.INT64, "float32": TensorProto.FLOAT, "bool": TensorProto.BOOL, "int32": TensorProto.INT32}


def value(named: Named) -> onnx.ValueInfoProto:
    """A graph input or output as the manifest describes it."""
    return helper.make_tensor_value_info(named.name, TYPES[named.dtype], list(named.axes))


def add_search(core: onnx.ModelProto, plan: Plan, *, trimmed: bool = True) -> onnx.ModelProto:
    """The step graph around a core graph, which is the plan's own or another precision of it.

    trimmed: whether dead rows get no scores (`export.live`); to count the living ones, a GPU would have to wait.
    """
    graph = core.graph
    gathers = [helper.make_node("Gather", [one.name, "rows"], [f"{one.name}_in"], axis=0) for one in plan.states]
    made = helper.make_graph(
        [*which(trimmed=trimmed), *gathers, *_by_row(graph.node, plan), *_rows(plan), *tail(plan.pieces)],
        "step",
        [value(one) for one in plan.step_inputs],
        [value(one) for one in plan.step_outputs],
        [*graph.initializer, *constants(plan.pieces, plan.fields["vocabulary_size"])],
        value_info=graph.value_info,
    )
    unpack(made)
    if trimmed:
        trim(made)
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
    """What the nodes of `which` and `tail` read, of a vocabulary of so many pieces."""
    arrays = {"search_flat": np.array([0, -1]), "search_last": np.array([-1]), "search_all": np.array([-1])}
    arrays |= {"search_one": np.array([1]), "search_two": np.array([2])}
    arrays |= {"search_start": np.array(0), "search_stride": np.array(1)}
    if pieces is not None:
        place = np.full(vocabulary, int(np.nonzero(pieces == PAD)[0][0]))
        place[pieces] = np.arange(len(pieces))  # of a piece that is not there, that of one never said
        arrays |= {"search_pieces": pieces, "search_place_of": place}
    if pieces is not None and _in_blocks(pieces):
        each = len(pieces) // BLOCK
        arrays |= {"search_each": np.array([each]), "search_by_block": np.array([0, BLOCK, each])}
        arrays |= {"search_across": np.arange(BLOCK)[:, None] * each}
    whole = [numpy_helper.from_array(array.astype(np.int64), name) for name, array in arrays.items()]
    return [*whole, numpy_helper.from_array(np.array(ALIVE, np.float32), "search_lowest")]


def pieces_of(step: onnx.ModelProto) -> np.ndarray | None:
    """The pieces (C,) whose scores a step graph has, where these are not all."""
    return next((numpy_helper.to_array(one) for one in step.graph.initializer if one.name == "search_pieces"), None)


def _in_blocks(pieces: np.ndarray | None) -> bool:
    """Whether a row's best pieces are looked for in two courses."""
    return pieces is not None and len(pieces) >= LEAST and len(pieces) % BLOCK == 0


def _best_by_block() -> list[onnx.NodeProto]:
    """The best k of each row, as TopK finds them: they are in the k blocks whose best pieces are the best.

    A maximum of 16 pieces is taken by vector instructions, TopK compares one by one. Piece i is in block i % (V / 16),
    so that the sixteen lie one row of memory apart.
    """
    return [
        _node("Reshape", ["search_logp", "search_by_block"], ["search_blocks"]),  # (L, 16, V / 16)
        _node("ReduceMax", ["search_blocks", "search_one"], ["search_block_best"], keepdims=0),
        _node("Min", ["search_of_row", "search_each"], ["search_of_blocks"]),
        _node("TopK", ["search_block_best", "search_of_blocks"], ["search_block_scores", "search_block_ids"], sorted=0),
        _node("Unsqueeze", ["search_block_ids", "search_one"], ["search_block_first"]),
        _node("Add", ["search_block_first", "search_across"], ["search_block_all"]),  # (L, 16, k)
        _node("Reshape", ["search_block_all", "search_flat"], ["search_some_ids"]),  # (L, 16 * k)
        _node("GatherElements", ["search_logp", "search_some_ids"], ["search_some"], axis=1),
        _node("TopK", ["search_some", "search_of_row"], ["search_row_best", "search_some_places"], axis=-1),
        _node("GatherElements", ["search_some_ids", "search_some_places"], ["search_row_ids"], axis=1),
    ]


def _node(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, outputs, name=f"search_{outputs[0]}", **attributes)


def which(*, trimmed: bool) -> list[onnx.NodeProto]:
    """scores (B, K) -> the rows that are looked at (L,), and for each row its place among those (B, K).

    trimmed: only rows that live are; the place of others is anything. Else all are.
    """
    some = [
        _node("Reshape", ["scores", "search_all"], ["search_all_scores"]),
        _node("Greater", ["search_all_scores", "search_lowest"], ["search_alive"]),
        _node("NonZero", ["search_alive"], ["search_alive_rows"]),
        _node("Reshape", ["search_alive_rows", "search_all"], ["search_live"]),
        _node("Cast", ["search_alive"], ["search_ones"], to=TensorProto.INT64),
        _node("CumSum", ["search_ones", "search_start"], ["search_counted"]),
        _node("Sub", ["search_counted", "search_one"], ["search_nth"]),
    ]
    every = [
        _node("Size", ["scores"], ["search_rows"]),
        _node("Range", ["search_start", "search_rows", "search_stride"], ["search_live"]),
        _node("Identity", ["search_live"], ["search_nth"]),
    ]
    shaped = [
        _node("Shape", ["scores"], ["search_shape"]),
        _node("Reshape", ["search_nth", "search_shape"], ["search_place"]),
    ]
    return [*(some if trimmed else every), *shaped]


def tail(pieces: np.ndarray | None) -> list[onnx.NodeProto]:
    """logits (B, K, V) or (L, V), scores (B, K), candidates (1,), forced (B, K) -> the four outputs of the search.

    The best of each row first, then the top C of a request's rows: the second is small. C is twice the beam's width W,
    or one; of one row W + 1 are enough, W that go on and one that ends. Where the logits are of some pieces only, ids
    are translated: forced ones on the way in, chosen ones on the way out.
    """
    chosen = "tokens_out" if pieces is None else "search_chosen"
    forced = "forced" if pieces is None else "search_forced_place"
    ids = [
        _node("Gather", ["search_place_of", "forced"], ["search_forced_place"]),
        _node("Gather", ["search_pieces", "search_chosen"], ["tokens_out"]),
    ]
    nodes = [
        _node("Flatten", ["logits"], ["search_logits"], axis=-1),
        _node("LogSoftmax", ["search_logits"], ["search_logp"], axis=-1),
        _node("Div", ["candidates", "search_two"], ["search_half"]),
        _node("Add", ["search_half", "search_one"], ["search_more"]),
        _node("Min", ["search_more", "candidates"], ["search_of_row"]),
        *(_best_by_block() if _in_blocks(pieces) else [_node("TopK", ["search_logp", "search_of_row"], BEST, axis=-1)]),
        _node("Gather", ["search_row_best", "search_place"], ["search_best"]),  # (B, K, k), as each row's ids
        _node("Gather", ["search_row_ids", "search_place"], ["search_ids"]),
        _node("Unsqueeze", ["scores", "search_last"], ["search_scores"]),
        _node("Add", ["search_best", "search_scores"], ["search_totals"]),
        _node("Reshape", ["search_totals", "search_flat"], ["search_flat_totals"]),  # (B, K * k)
        _node("TopK", ["search_flat_totals", "candidates"], ["scores_out", "search_places"], axis=-1),
        _node("Reshape", ["search_ids", "search_flat"], ["search_flat_ids"]),
        _node("GatherElements", ["search_flat_ids", "search_places"], [chosen], axis=1),
        _node("Div", ["search_places", "search_of_row"], ["parents_out"]),
        _node("Reshape", [forced, "search_all"], ["search_all_forced"]),
        _node("Gather", ["search_all_forced", "search_live"], ["search_live_forced"]),
        _node("Unsqueeze", ["search_live_forced", "search_last"], ["search_forced"]),
        _node("GatherElements", ["search_logp", "search_forced"], ["search_forced_logp"], axis=1),
        _node("Squeeze", ["search_forced_logp", "search_last"], ["search_forced_best"]),
        _node("Gather", ["search_forced_best", "search_place"], ["search_forced_all"]),
        _node("Add", ["search_forced_all", "scores"], ["forced_out"]),
    ]
    return nodes if pieces is None else [ids[0], *nodes, ids[1]]
