"""A bundle's step with today's search around the same net: python -m export renew BUNDLE.

The nodes behind a net's scores change more often than nets are trained, and a bundle's checkpoint may be gone. Weights
and version stay: answers are the same but for the order of sums, which is checked before anything is written. Knows
nothing of nets.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from bundle.manifest import WEIGHTS, Bundle
from bundle.text import EOS, PAD
from export.live import trim
from export.narrow import unpack
from export.package import seal
from export.parity import NotEqual
from export.search_graph import constants, pieces_of, tail, which
from export.shared import save
from export.shortlist import filled
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Hypothesis, Job, Options

OURS = "search_"  # how the names of the search's nodes and constants begin
RENEWED = "made anew by `python -m export renew`; weights and scores are those from before"
NEAR = 5e-3  # of a log-probability: sums in another order, and what int8 makes of one at the edge between two numbers
TEXTS, LONGEST = 24, 20  # texts of random pieces that both forms have to answer alike, and their pieces at most


def renewed(step: onnx.ModelProto, vocabulary: int, *, trimmed: bool = True, narrow: bool = True) -> onnx.ModelProto:
    """A step graph with the search that `export` makes today, of a vocabulary of so many pieces.

    trimmed: see `export.search_graph.add_search`; narrow: whether sums of one column may change (`export.narrow`).

    Raises:
        ValueError: its scores are not a product with constants.
    """
    made = onnx.ModelProto()
    made.CopyFrom(step)
    graph = made.graph
    found = pieces_of(step)
    pieces = None if found is None else filled(found)
    if found is not None and pieces is not None and len(pieces) > len(found):
        last = int(np.nonzero(found == PAD)[0][0])
        _widen(graph, len(found), np.append(np.arange(len(found)), np.full(len(pieces) - len(found), last)))
    nodes = [one for one in graph.node if not one.name.startswith(OURS)]
    kept = [one for one in graph.initializer if not one.name.startswith(OURS)]
    del graph.node[:], graph.initializer[:]
    graph.node.extend([*which(trimmed=trimmed), *nodes, *tail(pieces)])
    graph.initializer.extend([*kept, *constants(pieces, vocabulary)])
    if narrow:
        unpack(graph)
    if trimmed:
        trim(graph)
    return made


def _widen(graph: onnx.GraphProto, columns: int, taken: np.ndarray) -> None:
    """Give the product that the logits are these columns of its constants."""
    product = next(node for node in graph.node if "logits" in node.output)
    there = [one for one in graph.initializer if one.name in product.input and columns in one.dims[-1:]]
    if product.op_type != "MatMulIntegerToFloat" or not there:
        raise ValueError("the scores are not an integer product with constants")
    for one in there:
        one.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(numpy_helper.to_array(one)[..., taken]), one.name))


def renew(folder: Path, precision: str = "int8", *, narrow: bool = True) -> None:
    """Write a bundle's graphs of a precision anew, if they answer as those that are there; narrow: as in `renewed`.

    Raises:
        NotEqual: they do not; nothing is written.
    """
    bundle = Bundle(folder)
    before = list(_said(Session(bundle, precision=precision)))
    files = {name: one.files[precision] for name, one in bundle.manifest.graphs.items()}
    graphs = {name: onnx.load(folder / file) for name, file in files.items()}
    how = {"trimmed": precision != "fp16", "narrow": narrow}
    graphs["step"] = renewed(graphs["step"], bundle.manifest.vocabulary_size, **how)
    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(scratch)
        for one in folder.iterdir():
            if one.name not in files.values():
                (trial / one.name).write_bytes(one.read_bytes())
        save({trial / files[name]: graph for name, graph in graphs.items()}, trial / WEIGHTS.format(precision))
        made_with = {**bundle.manifest.made_with, "search": RENEWED}
        seal(trial, bundle.manifest.model_copy(update={"made_with": made_with}))
        for old, new in zip(before, _said(Session(Bundle(trial), precision=precision)), strict=True):
            if old.ids != new.ids or abs(old.score - new.score) > NEAR:
                raise NotEqual(f"{old.ids} with {old.score:.4f} would be {new.ids} with {new.score:.4f}")
        for one in trial.iterdir():
            (folder / one.name).write_bytes(one.read_bytes())


def _said(session: Session) -> Iterator[Hypothesis]:
    """What a session says to random pieces or pictures, every hypothesis of a search of five."""
    random, manifest = np.random.default_rng(0), session.manifest
    jobs = []
    for number in range(TEXTS):
        if manifest.input == "text":
            pieces = random.integers(4, manifest.vocabulary_size, random.integers(1, LONGEST))
            one = {"source": np.append(pieces, EOS)}
        else:
            size = manifest.image.size if manifest.image else 0
            one = {"pixels": random.normal(size=(3, size, size)).astype(np.float32)}
        jobs.append(Job(str(number), "", one, Options(5, n_best=5, max_length=LONGEST)))
    for done in answers(session, jobs):
        yield from done.hypotheses


def main(arguments: list[str]) -> int:
    """Renew bundles; 1 where one cannot be, or would answer differently."""
    parser = argparse.ArgumentParser(prog="python -m export renew", description="Today's search around the same net.")
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("--precision", default="int8")
    given = parser.parse_args(arguments)
    for bundle in given.bundles:
        try:
            try:
                renew(bundle, given.precision)
            except NotEqual:  # other sums, at the edge between two numbers of int8: then all but those
                renew(bundle, given.precision, narrow=False)
        except (NotEqual, ValueError) as refused:
            print(f"{bundle} is left as it is: {refused}", file=sys.stderr)
            return 1
    return 0
