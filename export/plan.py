"""What an exporter of one kind of net hands over: its graphs and what the manifest must say of them.

Knows nothing of files or precisions. One file a net: `export/translator.py`, `export/captioner.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import onnx
from torch import Tensor

from bundle.graphs import AttentionOutput, Cache, State
from bundle.graphs import Tensor as Named

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


# A step graph that adds to caches also takes these, by whose caches they are.
POSITION = Named(name="position", dtype="int64", axes=("B", 1))
CACHE_INPUTS = {
    "request": (POSITION, Named(name="ancestors", dtype="bool", axes=("B", "K", "P"))),
    "row": (POSITION, Named(name="entries", dtype="int32", axes=("R",)), Named(name="most", dtype="int32", axes=())),
}


def past(cache: Cache) -> Named:
    """The input of a step graph that is a cache."""
    axes = ("B" if cache.of == "request" else "R", cache.heads, "P", cache.width)
    return Named(name=cache.name, dtype="float32", axes=axes)


def present(cache: Cache) -> Named:
    """The output of a step graph that brings a cache up to date."""
    if cache.of == "row":
        return past(cache).model_copy(update={"name": f"{cache.name}_out"})
    return Named(name=f"{cache.name}_out", dtype="float32", axes=("B", cache.heads, "K", cache.width))


class Stepper(Protocol):
    """The torch side of parity: the same net, asked for one greedy answer."""

    def begin(self, one: dict[str, np.ndarray]) -> Any:
        """What the first step needs of one input."""
        ...

    def follow(self, token: Tensor, place: Any) -> StepResult:
        """One step: the last piece (1, 1), and the place that the step before gave."""
        ...


class StepResult(NamedTuple):
    """log-probabilities (1, 1, V), the weights shown by default (1, 1, S), and the place of the next step."""

    logprobs: Tensor
    weights: Tensor
    place: Any


@dataclass
class Plan:
    """The graphs of a net in fp32, and the manifest fields that follow from them."""

    stepper: Stepper
    encode: onnx.ModelProto
    # One step without the search: token, {state}_in, memory, mask, caches -> logits, {state}_out, {cache}_out, outputs
    core: onnx.ModelProto
    encode_inputs: tuple[Named, ...]
    memory: tuple[Named, ...]
    states: tuple[State, ...]
    outputs: tuple[Named, ...]  # of the core, besides logits and states: attention first, then extras
    attention: tuple[AttentionOutput, ...]
    fields: dict[str, Any]  # the rest of the manifest that follows from the net
    caches: tuple[Cache, ...] = ()
    # A whole answer at once: source, lengths, given (B, T) -> the outputs of self_attention
    own: onnx.ModelProto | None = None
    self_attention: tuple[AttentionOutput, ...] = ()
    pieces: np.ndarray | None = None  # what the logits are of, (C,) ids, if not of the whole vocabulary

    @property
    def step_inputs(self) -> tuple[Named, ...]:
        """Inputs of the step graph."""
        states = tuple(Named(name=one.name, dtype="float32", axes=("R", one.width)) for one in self.states)
        more = CACHE_INPUTS[self.caches[0].of] if self.caches else ()
        return (*SEARCH_INPUTS, *self.memory, *states, *more, *(past(one) for one in self.caches))

    @property
    def step_outputs(self) -> tuple[Named, ...]:
        """Outputs of the step graph."""
        states = (Named(name=f"{one.name}_out", dtype="float32", axes=("R", one.width)) for one in self.states)
        return (*SEARCH_OUTPUTS, *states, *(present(one) for one in self.caches), *self.outputs)

    @property
    def own_inputs(self) -> tuple[Named, ...]:
        """Inputs of the graph of self-attention."""
        return (*self.encode_inputs, Named(name="given", dtype="int64", axes=("B", "T")))

    @property
    def own_outputs(self) -> tuple[Named, ...]:
        """Its outputs."""
        axes = {"encoder": ("S", "S"), "decoder": ("T", "T")}
        return tuple(
            Named(name=one.name, dtype="float32", axes=("B", one.layers, one.heads, *axes[str(one.stack)]))
            for one in self.self_attention
        )

    @property
    def extras(self) -> tuple[str, ...]:
        """Names of the outputs that are not attention."""
        looks = {one.name for one in self.attention}
        return tuple(one.name for one in self.outputs if one.name not in looks)
