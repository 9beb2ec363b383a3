"""Scores of the living rows only: a vocabulary's product and what follows it are a third of a step and more.

A row whose score says that nobody is there (`service.engine.search.DEAD`) is given no logits. Until then a net has all
rows, since those of a request share its memory; from there on only L of the B x K are left, and what was found of them
goes back to its place (`export.search_graph` says which they are, and where). Knows nothing of nets.
"""

from __future__ import annotations

import onnx
from onnx import helper

LIVE = "live_hidden"  # what the logits are a product of, for the living rows (L, width)
PRODUCTS = ("MatMul", "MatMulIntegerToFloat")


def trim(graph: onnx.GraphProto) -> None:
    """Let living rows alone have logits, (B, K, V) -> (L, V): by their product, where they are one with a constant."""
    if any(node.name == LIVE for node in graph.node):
        return
    found = _product(graph)
    if found is None:
        place = next(i for i, node in enumerate(graph.node) if "logits" in node.output)
        outputs = graph.node[place].output
        outputs[list(outputs).index("logits")] = "live_any"
        _insert(graph, place + 1, "live_any", "logits")
        stale = {"logits"}
    else:
        place, product = found
        _insert(graph, place, product.input[0], LIVE)
        product.input[0] = LIVE
        stale = {"logits", *product.output}
    described = [one for one in graph.value_info if one.name not in stale]  # which tell of all rows
    del graph.value_info[:]
    graph.value_info.extend(described)


def _insert(graph: onnx.GraphProto, place: int, given: str, taken: str) -> None:
    """Before the node at this place, those that take the living rows (L, width) of a tensor (B, K, width)."""
    graph.node.insert(place, helper.make_node("Gather", ["live_rows", "search_live"], [taken], name=LIVE, axis=0))
    graph.node.insert(place, helper.make_node("Flatten", [given], ["live_rows"], name="live_rows", axis=-1))


def _product(graph: onnx.GraphProto) -> tuple[int, onnx.NodeProto] | None:
    """The product that the logits are, a bias aside, and its place among the nodes."""
    constants, wanted = {one.name for one in graph.initializer}, "logits"
    for place in reversed(range(len(graph.node))):
        node = graph.node[place]
        if wanted in node.output:
            if node.op_type in PRODUCTS and node.input[1] in constants:
                return place, node
            if node.op_type != "Add":
                return None
            wanted = next((name for name in node.input if name not in constants), "")
    return None
