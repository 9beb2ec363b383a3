"""A bundle's graphs in onnxruntime. The only file that imports it.

Knows nothing of requests, beams or seats: arrays in, arrays out, under the names of the manifest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read at the import; later, one report has left already

import onnxruntime

from bundle.graphs import GraphName
from bundle.manifest import BadBundle, Bundle
from bundle.text import BOS
from service.engine.device import CUDA, Bound, Device
from service.engine.layout import Layout

ON_CPU = Device("cpu")
TOGETHER = 8  # texts that a CPU encodes in one run


@dataclass(frozen=True)
class Encoded:
    """What encode gives for B inputs: memory (B, S, …) and state (B, width) by name, and the true lengths (B,)."""

    memory: dict[str, np.ndarray]
    states: list[np.ndarray]
    lengths: np.ndarray


@cache
def share_threads(threads: int) -> None:
    """Give all sessions of this process one pool of so many threads, so that they never exceed the cores given.

    onnxruntime allows this once a process, before its first session.
    """
    onnxruntime.set_default_logger_severity(3)
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_global_thread_pool_sizes(threads, 1)


class Session:
    """The encode and step graphs of one bundle, in one precision."""

    def __init__(
        self, bundle: Bundle, *, precision: str = "auto", device: str = "cpu", bind: bool | None = None
    ) -> None:
        """Load the graphs; `share_threads` must have been called in this process.

        precision: int8, fp32, fp16, or auto: int8 on CPUs and fp16 on GPUs, where the bundle has it.
        device: auto, cpu or cuda:N; bind: whether state stays on the device, as it does on GPUs if not said.

        Raises:
            BadBundle: a graph cannot be loaded, or not on this device, or its inputs and outputs are not those of the
                manifest.
        """
        self.manifest = bundle.manifest
        self.layout = Layout.of(self.manifest)
        try:
            self.device = Device.of(device, onnxruntime.get_available_providers())
        except ValueError as wrong:
            raise BadBundle(bundle.path, f"cannot be run: {wrong}") from wrong
        on_gpu = self.device.kind != "cpu"
        if on_gpu:
            onnxruntime.preload_dlls()  # CUDA and cuDNN as packages lie where the system's loader does not look
        precision = ("fp16" if on_gpu else "int8") if precision == "auto" else precision
        self.least_bytes = bundle.bytes_in(precision)
        self.encoder = _load(bundle, "encode", precision, self.device)
        self.stepper = _load(bundle, "step", precision, self.device)
        own = "self" in bundle.manifest.graphs
        self.own: Any = _load(bundle, "self", precision, self.device) if own else None
        over = {f"{name}_out": name for name in self.layout.caches or ()} if self.layout.of_rows else {}
        if bind or (bind is None and (on_gpu or over)):
            stay = {f"{name}_out" for name in self.layout.states}
            hold = onnxruntime.OrtValue.ortvalue_from_numpy
            self.stepper = Bound(self.stepper, self.device, hold, stay if bind or on_gpu else (), over)
        self.always = ["scores_out", "tokens_out", "parents_out", "forced_out"]
        self.always += [f"{name}_out" for name in (*self.layout.states, *(self.layout.caches or ()))]

    def encode(self, inputs: Sequence[Mapping[str, np.ndarray]]) -> Encoded:
        """Encode B inputs: pictures stacked, texts padded to the longest.

        On a CPU texts run with a few of about their own length: padding costs more there than a run does.
        """
        if self.manifest.input != "text":
            pixels = np.stack([one["pixels"] for one in inputs])
            return self._encoded({"pixels": pixels}, np.full(len(inputs), self.manifest.limits.source))
        lengths = np.array([len(one["source"]) for one in inputs])
        if len(inputs) <= TOGETHER or self.device.kind != "cpu":
            return self._encoded(_texts(inputs, lengths), lengths)
        order = np.argsort(lengths, kind="stable")
        groups = [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]
        parts = [self._encoded(_texts([inputs[i] for i in few], lengths[few]), lengths[few]) for few in groups]
        return self._joined(parts, groups, lengths)

    def _encoded(self, feeds: dict[str, np.ndarray], lengths: np.ndarray) -> Encoded:
        """One run."""
        names = [*self.manifest.memory, *self.layout.states]
        out = dict(zip(names, self.encoder.run(names, feeds), strict=True))
        memory = {name: out[name] for name in self.manifest.memory}
        return Encoded(memory, [out[name] for name in self.layout.states], lengths)

    def _joined(self, parts: Sequence[Encoded], groups: Sequence[np.ndarray], lengths: np.ndarray) -> Encoded:
        """Several runs as one: everybody at their place (of `groups`), memory padded to the longest of all."""
        memory = {}
        for name, values in parts[-1].memory.items():  # the last ones are the longest
            axis = (self.layout.axes or {}).get(name, 1)
            memory[name] = np.zeros((len(lengths), *values.shape[1:]), values.dtype)
            for part, few in zip(parts, groups, strict=True):
                given = np.moveaxis(part.memory[name], axis, 1)
                np.moveaxis(memory[name], axis, 1)[few, : given.shape[1]] = given
        back = np.argsort(np.concatenate(groups))
        states = [np.concatenate(each)[back] for each in zip(*(one.states for one in parts), strict=True)]
        return Encoded(memory, states, lengths)

    def step(self, feeds: Mapping[str, np.ndarray], kept: Sequence[str]) -> dict[str, np.ndarray]:
        """One step for everybody seated; of the outputs for each token, those that are kept."""
        names = [*self.always, *kept]
        return dict(zip(names, self.stepper.run(names, feeds), strict=True))

    def self_attention(self, source: np.ndarray, ids: Sequence[int]) -> dict[str, np.ndarray]:
        """By name, the self-attention of saying an answer (T ids) to a source (S,): (layers, heads, S, S) or T.

        Row t of a decoder's is of the step that gave ids[t]; its keys are what it had read: BOS, and the ids before.
        Nothing, of a model that has none.
        """
        if self.own is None or not len(ids):
            return {}
        given = np.array([[BOS, *ids[:-1]]], np.int64)
        feeds = {"source": source[None], "lengths": np.array([len(source)], np.int32), "given": given}
        names = [one.name for one in self.manifest.self_attention]
        return {name: values[0] for name, values in zip(names, self.own.run(names, feeds), strict=True)}


def open_graph(graph: str | bytes, device: Device = ON_CPU) -> onnxruntime.InferenceSession:
    """An onnxruntime session, on the shared threads, of a file or of a serialised graph.

    Numbers too small to be normal are taken for zero: a softmax gives them to whatever is masked, and an Intel core
    takes some 150 cycles for each. onnxruntime sets this for the thread that makes the first session of a process; the
    threads that this one starts inherit it: so loops are started by the thread that made their sessions.
    """
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.use_per_session_threads = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=device.providers())


def _texts(inputs: Sequence[Mapping[str, np.ndarray]], lengths: np.ndarray) -> dict[str, np.ndarray]:
    """The encoder's feeds for texts: source (B, S) and lengths (B,)."""
    source = np.zeros((len(inputs), lengths.max()), np.int64)
    for row, one in zip(source, inputs, strict=True):
        row[: len(one["source"])] = one["source"]
    return {"source": source, "lengths": lengths.astype(np.int32)}


def _load(bundle: Bundle, graph: GraphName, precision: str, device: Device) -> onnxruntime.InferenceSession:
    """An onnxruntime session of one graph, checked against the manifest's names."""
    path = bundle.graph(graph, precision)
    try:
        session = open_graph(str(path), device)
    except Exception as broken:  # onnxruntime's own exceptions have no public common class
        raise BadBundle(path, f"onnxruntime cannot load it: {type(broken).__name__}") from broken
    if device.kind != "cpu" and CUDA not in session.get_providers():  # onnxruntime falls back without an error
        raise BadBundle(path, f"cannot be run on {device.kind}:{device.number}: no such GPU works here")
    _agree(session, bundle, graph, path)
    return session


def _agree(session: onnxruntime.InferenceSession, bundle: Bundle, graph: GraphName, path: Path) -> None:
    """Raise BadBundle unless the graph has exactly the inputs and outputs that the manifest names."""
    described = bundle.manifest.graphs[graph]
    for side, found, expected in (
        ("inputs", session.get_inputs(), described.inputs),
        ("outputs", session.get_outputs(), described.outputs),
    ):
        names, wanted = {one.name for one in found}, {one.name for one in expected}
        if names != wanted:
            raise BadBundle(path, f"{side} {sorted(names)} are not the manifest's {sorted(wanted)}")
