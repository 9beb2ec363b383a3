"""A shipped translator's weights as a checkpoint, to train on: python -m export recover BUNDLE --recipe R --out RUN.

Bundles stay; the checkpoints they were made from do not. int8 loses what rounding took, no more. RUN is what a recipe's
`first` leaves behind, so with --out runs/NAME/start a run of NAME begins with the bundle's weights. Which constant of a
graph is which weight is not guessed: a net of random numbers is exported the same way, and its numbers are looked for;
and in the end the net has to look where the bundle looks. Knows nothing of how nets are built.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from bundle.manifest import Bundle
from bundle.text import BOS, PAD, UNK, Vocabulary
from export import transformer, translator
from export.parity import NotEqual, compare, demand
from export.plan import Plan, Stepper
from export.samples import source
from export.search_graph import pieces_of
from export.shortlist import shorten
from export.toy import SENTENCES
from export.transformer import TransformerStepper
from export.translator import SILENT, TranslatorStepper, gates, silence
from models.nets.transformer import TransformerTranslator
from models.recipe import read
from models.tasks.translation import Translator
from models.tasks.translation import translator as net_of
from service.engine.session import Session

NEAR = 3.0  # largest difference of a log-probability; int8 moves that of an unlikely piece by one or so
UNSAID = 3.0  # how far below the least likely piece's bias that of a piece is put that the bundle could not say

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[tuple[int, ...], Sequence[np.ndarray]]


def recovered(bundle: Bundle, net: Translator, precision: str = "int8") -> dict[str, Tensor]:
    """The weights of a net of the bundle's architecture, as a `state_dict`; its own are overwritten.

    Raises:
        ValueError: a weight is not in the graphs, or the net is not of this architecture.
    """
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter)
    plan = _plan(bundle, net)
    graphs = {name: onnx.load(bundle.graph(name, precision)) for name in ("encode", "step")}
    kept = {name: _constants(graph) for name, graph in graphs.items()}
    said = pieces_of(graphs["step"])
    found: dict[str, Tensor] = {}  # of the first graph that has it: the encoder's table of embeddings has finer steps
    for name, model in (("encode", plan.encode), ("step", _core(plan, said))):
        found = _matched(net, model, kept[name], said if name == "step" else None) | found
    own = net.state_dict()
    if missing := {name for name in own if name not in found or found[name].shape != own[name].shape}:
        raise ValueError(f"{bundle.path} does not have all weights of this net: {sorted(missing)}")
    least = found["bias"][found["bias"] > SILENT / 2].min()
    found["bias"] = found["bias"].clamp(min=float(least) - UNSAID)
    return found


def _plan(bundle: Bundle, net: Translator) -> Plan:
    """The graphs of this net, in the form that the bundle has."""
    if not isinstance(net, TransformerTranslator):
        return translator.plan(net)
    return transformer.plan(net, of=bundle.manifest.caches[0].of if bundle.manifest.caches else "row")


def _core(plan: Plan, said: np.ndarray | None) -> onnx.ModelProto:
    return plan.core if said is None else shorten(plan.core, said)


def _constants(model: onnx.ModelProto) -> dict[tuple[int, ...], list[np.ndarray]]:
    """The float constants of a graph by shape, in the order in which nodes read them; those in int8 as numbers.

    Not by name: names that the exporter makes up change with its version, what a net does after what does not.
    """
    arrays = _widened(model)
    found: dict[tuple[int, ...], list[np.ndarray]] = {}
    seen: set[str] = set()
    for node in model.graph.node:
        for name, array in _read_by(node, arrays):
            if name not in seen and array.dtype == np.float32 and array.size > 1:
                whole = array[0] if array.ndim == 3 and len(array) == 1 else array  # a product of one column (`narrow`)
                found.setdefault(whole.shape, []).append(whole)
            seen.add(name)
    return found


def _widened(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The constants of a graph by name; those kept as float16 (see `export/lean.py`) by the name that nodes read."""
    arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays.pop(node.input[0]).astype(np.float32)
    return arrays


def _read_by(node: onnx.NodeProto, arrays: Arrays) -> Iterator[tuple[str, np.ndarray]]:
    """The constants that a node reads: a quantised one as numbers, and none that only says how it was quantised."""
    names = list(node.input)
    if node.op_type == "MatMulIntegerToFloat":
        weight, scale, zero = (arrays[names[i]] for i in (1, 3, 5))
        yield names[1], (weight.astype(np.float32) - zero) * scale
        names = names[6:]
    elif node.op_type == "Gather" and names[0].endswith("_rows") and names[0] in arrays:
        yield names[0], arrays[names[0]].astype(np.float32) * arrays[f"{names[0][:-1]}_scale"]
        return
    elif node.op_type == "Gather" and names[0].endswith("_row_scale"):
        return
    yield from ((name, arrays[name]) for name in names if name in arrays)


def _matched(net: Translator, model: onnx.ModelProto, kept: Shapes, said: np.ndarray | None) -> dict[str, Tensor]:
    """The weights that are constants of this graph: name to value.

    Raises:
        ValueError: the graphs have other constants.
    """
    ours = _constants(model)
    if odd := sorted(shape for shape in ours if len(ours[shape]) != len(kept.get(shape, ()))):
        raise ValueError(f"the bundle's graphs are not those of this net: they differ in constants of the shapes {odd}")
    found: dict[str, Tensor] = {}
    for shape, arrays in ours.items():
        for marked, value in zip(arrays, kept[shape], strict=True):
            for weight, read_ in _readings(net, marked, value, said):
                found.setdefault(weight, torch.from_numpy(np.array(read_, np.float32)))
    return found


def _readings(
    net: Translator, marked: np.ndarray, value: np.ndarray, said: np.ndarray | None
) -> Iterator[tuple[str, np.ndarray]]:
    """Which weights of the net are these numbers, and what the bundle has in their place."""
    for name, tensor in net.state_dict().items():
        own = tensor.detach().numpy()
        if np.array_equal(own, marked):
            yield name, value
        elif own.ndim == 2 and np.array_equal(own.T, marked):
            yield name, value.T
        elif said is not None and own.ndim == 1 and len(own) > len(said) and np.array_equal(own[said], marked):
            whole = np.full(own.shape, SILENT, np.float32)
            whole[said] = value
            yield name, whole
        elif name.startswith("encoder.") and marked.ndim > 1 and len(marked) == 2:
            yield from _of_encoder(name, own, marked, value)
        else:
            yield from _of_several(name, own.T, marked, value)


def _of_several(
    name: str, wanted: np.ndarray, marked: np.ndarray, value: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """As `_readings`, of layers that one product does: their weights side by side, their biases end to end."""
    each = wanted.shape[-1]
    if marked.shape[:-1] == wanted.shape[:-1] and marked.shape[-1] % each == 0:
        for start in range(0, marked.shape[-1], each):
            part = slice(start, start + each)
            if np.array_equal(marked[..., part], wanted):
                yield name, value[..., part].T


def _of_encoder(name: str, own: np.ndarray, marked: np.ndarray, value: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """As `_readings`, of the encoder's GRU: both directions in one array, gates in another order, biases end to end."""
    way = int(name.endswith("_reverse"))
    wanted = gates(own)
    for start in range(0, marked.shape[1], len(wanted)):
        part = slice(start, start + len(wanted))
        if np.array_equal(marked[way, part], wanted):
            yield name, gates(value[way, part])


def check(bundle: Bundle, net: Translator, weights: dict[str, Tensor], precision: str = "int8") -> None:
    """Raise NotEqual unless a net with these weights looks where the bundle looks, and finds as likely what it says."""
    net.load_state_dict(weights)
    stepper = _stepper(bundle, net.eval())
    with torch.no_grad():
        net.bias[[PAD, UNK, BOS]] = SILENT
    if (said := pieces_of(onnx.load(bundle.graph("step", precision)))) is not None:
        silence(net.bias, said)  # or the net's own answer may have a piece that the bundle cannot say
    inputs = [source(bundle.text, text, bundle.tag(pair)) for pair in bundle.manifest.pairs for text in SENTENCES]
    found = compare(stepper, Session(bundle, precision=precision), inputs, forced=True, limit=20)
    demand(found, exact=False)
    if found.logprob_max > NEAR:
        raise NotEqual(f"log-probabilities differ by up to {found.logprob_max:.2g} between torch and the engine")


def _stepper(bundle: Bundle, net: Translator) -> Stepper:
    """The torch side, which looks with the head that the bundle shows."""
    if not isinstance(net, TransformerTranslator):
        return TranslatorStepper(net)
    shown = bundle.manifest.attention[0]
    return TransformerStepper(net, shown.default_layer, shown.default_head)


def main(arguments: list[str]) -> int:
    """Write RUN/best.pt, RUN/vocabulary.model and RUN/done."""
    parser = argparse.ArgumentParser(prog="python -m export recover", description="A bundle's weights as a checkpoint.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--recipe", type=Path, required=True, help="the one with the bundle's net")
    parser.add_argument("--out", type=Path, required=True, help="such as runs/NAME/start")
    parser.add_argument("--precision", default="int8")
    given = parser.parse_args(arguments)
    recipe, bundle = read(given.recipe), Bundle(given.bundle)
    vocabulary = given.bundle / "vocabulary.model"
    net = net_of(len(Vocabulary(vocabulary)), recipe["net"])
    weights = recovered(bundle, net, given.precision)
    check(bundle, net, weights, given.precision)
    given.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(vocabulary, given.out / "vocabulary.model")
    figures = {"step": 0, "minutes": 0.0}
    torch.save({"recipe": recipe, "net": weights, "figures": figures, "history": []}, given.out / "best.pt")
    (given.out / "done").touch()
    return 0
