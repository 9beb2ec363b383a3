"""Weights that several graphs of a bundle hold alike, in one file beside them.

The embedding is read by every graph, and a Transformer's graph `self` says again what `encode` and `step` say: half of
its bundle would be there twice. ONNX calls it external data: a graph names a file of its folder, an offset and a
length, and onnxruntime maps the file into memory. Knows nothing of bundles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import onnx
from onnx import TensorProto
from onnx.external_data_helper import set_external_data

LEAST = 1024  # bytes: what is smaller stays in its graph
STEP = 64  # bytes: where a weight may begin, so that vector instructions read it as they do one of their own


def save(graphs: Mapping[Path, onnx.ModelProto], beside: Path) -> None:
    """Write each graph to its path, and what at least two of them hold into the file `beside`, if there is any.

    All paths are of one folder. The graphs that were given are left as they are.
    """
    copies = {path: _copy(graph) for path, graph in graphs.items()}
    times = Counter(raw for graph in copies.values() for raw in dict.fromkeys(one.raw_data for one in _large(graph)))
    places: dict[bytes, int] = {}
    content = bytearray()
    for raw, count in times.items():
        if count > 1:
            content += bytes(-len(content) % STEP)
            places[raw] = len(content)
            content += raw
    if content:
        beside.write_bytes(content)
    for path, graph in copies.items():
        for one in _large(graph):
            if one.raw_data in places:
                set_external_data(one, beside.name, places[one.raw_data], len(one.raw_data))
                one.ClearField("raw_data")
        path.write_bytes(graph.SerializeToString())


def _large(graph: onnx.ModelProto) -> Iterator[TensorProto]:
    """The weights that are worth a place outside."""
    return (one for one in graph.graph.initializer if len(one.raw_data) >= LEAST)


def _copy(graph: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    return copy
