"""From a plan to a checked bundle: precisions, calibration, parity, then the folder.

Knows nothing of checkpoints or data sets: real inputs are handed to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch

from bundle.manifest import Bundle, Manifest
from export.machine import machine
from export.package import write
from export.parity import compare, demand
from export.plan import Plan
from export.quantise import half, quantise
from export.record import record
from export.samples import Inputs
from export.search_graph import add_search
from service.engine.session import Session


def build(
    folder: Path,
    plan: Plan,
    vocabulary: Path,
    described: Mapping[str, Any],
    inputs: Sequence[Inputs],
    *,
    precisions: Sequence[str] = ("int8",),
    command: str = "",
    trained: str = "",
) -> Manifest:
    """Write a bundle whose every precision has passed parity on these inputs.

    Raises:
        NotEqual: the engine and torch differ; nothing is written to the folder.
    """
    fp32 = {"encode": plan.encode, "step": add_search(plan.core, plan), **({"self": plan.own} if plan.own else {})}
    made_with = {
        "command": command,
        **({"trained": trained} if trained else {}),
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    made_with |= {"onnx": onnx.__version__, "machine": machine(), "parity_inputs": str(len(inputs))}
    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(scratch) / "trial"
        session = _serve(trial, plan, fp32, "fp32", vocabulary, described)
        parity = compare(plan.stepper, session, inputs, forced=False)
        demand(parity, exact=True)
        made_with |= {f"fp32_{name}": value for name, value in parity.described().items()}
        graphs: dict[str, dict[str, onnx.ModelProto]] = {name: {} for name in fp32}
        for precision in precisions:
            for name, model in _precision(precision, plan, fp32, session, inputs).items():
                graphs[name][precision] = model
            if precision != "fp32":
                one = {name: graphs[name][precision] for name in graphs}
                tried = _serve(trial, plan, one, precision, vocabulary, described)
                parity = compare(plan.stepper, tried, inputs, forced=True)
                demand(parity, exact=False)
                made_with |= {f"{precision}_{name}": value for name, value in parity.described().items()}
    return write(folder, plan, graphs, vocabulary, described, made_with)


def _serve(
    folder: Path,
    plan: Plan,
    graphs: Mapping[str, onnx.ModelProto],
    precision: str,
    vocabulary: Path,
    described: Mapping[str, Any],
) -> Session:
    """The serving engine's session over a bundle written for trial."""
    write(folder, plan, {name: {precision: model} for name, model in graphs.items()}, vocabulary, described, {})
    return Session(Bundle(folder), precision=precision)


def _precision(
    precision: str, plan: Plan, fp32: dict[str, onnx.ModelProto], session: Session, inputs: Sequence[Inputs]
) -> dict[str, onnx.ModelProto]:
    """All graphs in a precision.

    Raises:
        ValueError: not fp32, int8 or fp16.
    """
    if precision == "fp32":
        return fp32
    if precision == "fp16":
        own = {"self": half(plan.own)} if plan.own else {}
        return {"encode": half(plan.encode), "step": add_search(half(plan.core), plan, trimmed=False), **own}
    if precision == "int8":
        fed = record(session, inputs)
        return {name: quantise(model, fed[name]) for name, model in fp32.items()}
    raise ValueError(f"no precision {precision!r}: fp32, int8 or fp16")
