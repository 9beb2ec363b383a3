"""Where graphs run: the CPU, or one CUDA device, and how arrays get there.

Knows nothing of models. On a device of its own the state of the decoder stays where it is: a step's outputs are the
next step's inputs, and only what the host reads comes back. The same code runs on the CPU, so that tests cover it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
INSTALL = (  # both are the module onnxruntime, so one has to go first
    "from the checkout, .venv/bin/python -m pip uninstall onnxruntime, "
    "then .venv/bin/python -m pip install -c constraints/serve.txt -e '.[serve-gpu]'"
)


class Device(NamedTuple):
    """A kind of device and its number."""

    kind: str  # "cpu" or "cuda"
    number: int = 0

    @classmethod
    def of(cls, asked: str, providers: Collection[str]) -> Device:
        """`auto`, `cpu` or `cuda:N`, given what this onnxruntime was built with; auto takes a GPU if there may be one.

        Raises:
            ValueError: not one of these, or CUDA was asked for and this onnxruntime knows none.
        """
        if asked == "cpu" or (asked == "auto" and CUDA not in providers):
            return cls("cpu")
        if asked == "auto":
            return cls("cuda")
        kind, _, number = asked.partition(":")
        if kind != "cuda" or not number.isdecimal():
            raise ValueError(f"{asked!r} is no device: auto, cpu or cuda:N")
        if CUDA not in providers:
            raise ValueError(f"{asked} was asked for, and this onnxruntime has no CUDA: {INSTALL}")
        return cls("cuda", int(number))

    @property
    def name(self) -> str:
        """As settings have it: cpu, or cuda:N."""
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.number}"

    def providers(self) -> list[Any]:
        """What onnxruntime is told; whatever a GPU cannot do is done by the CPU."""
        return [CPU] if self.kind == "cpu" else [(CUDA, {"device_id": self.number}), CPU]


class Bound:
    """An onnxruntime session whose inputs and outputs are bound to places; stands in for the session itself."""

    def __init__(
        self,
        session: Any,
        device: Device,
        hold: Callable[[np.ndarray], Any],
        stay: Collection[str],
        over: Mapping[str, str],
    ) -> None:
        """hold: makes onnxruntime's value of an array, of the same memory.

        stay: outputs that stay on the device, to be bound as inputs later.
        over: outputs that are written over an input, which is how nothing of a cache is copied; on CPUs only.
        """
        self.session, self.device, self.hold, self.stay = session, device, hold, frozenset(stay)
        self.over = dict(over) if device.kind == "cpu" else {}

    def run(self, names: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
        """As `onnxruntime.InferenceSession.run`; outputs that stay are onnxruntime's values, not arrays."""
        binding, kept = self.session.io_binding(), {name: self.over[name] for name in names if name in self.over}
        held = {name: self.hold(feeds[name]) for name in kept.values()}
        for name, value in feeds.items():
            if name in held:
                binding.bind_ortvalue_input(name, held[name])
            elif isinstance(value, np.ndarray):
                binding.bind_cpu_input(name, np.ascontiguousarray(value))
            else:
                binding.bind_ortvalue_input(name, value)
        for name in names:
            if name in kept:
                binding.bind_ortvalue_output(name, held[kept[name]])
            elif name in self.stay:
                binding.bind_output(name, self.device.kind, self.device.number)
            else:
                binding.bind_output(name, "cpu")
        self.session.run_with_iobinding(binding)
        found = zip(names, binding.get_outputs(), strict=True)
        return [feeds[kept[name]] if name in kept else self._given(name, value) for name, value in found]

    def _given(self, name: str, value: Any) -> Any:
        return value if name in self.stay else value.numpy()


def on_host(value: Any) -> np.ndarray:
    """An array, wherever it is."""
    found: np.ndarray = value if isinstance(value, np.ndarray) else value.numpy()
    return found
