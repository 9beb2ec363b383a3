"""What an exporter of one kind of net hands over: its graphs and what the manifest must say of them.

Knows nothing of files or precisions. One file a net: `export/translator.py`, `export/captioner.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import onnx
from torch import Tensor

from bundle.manifest import AttentionOutput, State
from bundle.manifest import Tensor as Named

# The step graph's inputs and outputs that belong to the search, whatever the net.
SEARCH_INPUTS = (
    Named(name="token", dtype="int64", axes=("B", "K")),
    Named(name="rows", dtype="int64", axes=("B", "K")),
    Named(name="scores", dtype="float32", axes=("B", "K")),
    Named(name="forced", dtype="int64", axes=("B", "K")),
    Named(name="candidates", dtype="int64", axes=(1,)),
    Named(name="mask", dtype="bool", axes=("B", "S")),
)
SEARCH_OUTPUTS = (
    Named(name="scores_out", dtype="float32", axes=("B", "C")),
    Named(name="tokens_out", dtype="int64", axes=("B", "C")),
    Named(name="parents_out", dtype="int64", axes=("B", "C")),
    Named(name="forced_out", dtype="float32", axes=("B", "K")),
)


class Stepper(Protocol):
    """The torch side of parity: the same net, asked as the engine asks its graphs."""

    def encode(self, one: dict[str, np.ndarray]) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Memory (1, S, …) by name and states (1, width) of one input."""
        ...

    def step(self, token: Tensor, states: list[Tensor], memory: dict[str, Tensor], mask: Tensor) -> StepResult:
        """One step: token (1, K), states (1, K, width)."""
        ...


@dataclass
class StepResult:
    """log-probabilities (1, K, V), new states (1, K, width), weights (1, K, S), extras (1, K) by name."""

    logprobs: Tensor
    states: list[Tensor]
    weights: Tensor
    extras: dict[str, Tensor]


@dataclass
class Plan:
    """The graphs of a net in fp32, and the manifest fields that follow from them."""

    stepper: Stepper
    encode: onnx.ModelProto
    core: (
        onnx.ModelProto
    )  # one step without the search: token, {state}_in, memory, mask -> logits, {state}_out, outputs
    encode_inputs: tuple[Named, ...]
    memory: tuple[Named, ...]
    states: tuple[State, ...]
    outputs: tuple[Named, ...]  # of the core, besides logits and states: attention first, then extras
    attention: tuple[AttentionOutput, ...]
    fields: dict[str, Any]  # the rest of the manifest that follows from the net

    @property
    def extras(self) -> tuple[str, ...]:
        """Names of the outputs that are not attention."""
        looks = {one.name for one in self.attention}
        return tuple(one.name for one in self.outputs if one.name not in looks)
