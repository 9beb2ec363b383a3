"""The Transformer's graphs, both traced from torch.

Knows nothing of files, precisions or text. What a step reads of the source, keys and values of each layer, is memory;
what it reads of earlier steps is caches, to which it adds an entry a row (`service/engine/caches.py`).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from bundle.graphs import AttentionOutput, Cache
from bundle.graphs import Tensor as Named
from bundle.text import BOS, PAD, UNK
from export.fused import FusedCore, FusedEncode
from export.plan import CACHE_INPUTS, Plan, StepResult, past, present
from export.trace import trace
from export.translator import ENCODE_INPUTS, SILENT
from models.nets.self_attention import self_attention
from models.nets.transformer import Cache as Past
from models.nets.transformer import Memory, TransformerTranslator

Head = int | Literal["mean"]
Whose = Literal["request", "row"]
SIZES = {"request": {"B": 3, "K": 2, "S": 5, "P": 6}, "row": {"B": 3, "K": 2, "S": 5, "P": 7, "R": 6}}
EIGHT = 8  # the width of a head is a multiple of this, or onnxruntime has no cache of a row for it
OWN_INPUTS = (*ENCODE_INPUTS, Named(name="given", dtype="int64", axes=("B", "T")))


def plan(net: TransformerTranslator, layer: int | None = None, head: Head = "mean", *, of: Whose = "row") -> Plan:
    """Graphs of a trained net; layer and head are what is shown by default, the last layer but one if not said.

    of: whose the caches of a step are (`bundle.graphs.Cache`); a row's are made for CPUs, a request's run everywhere.
    PAD, UNK and BOS get a bias that no search overcomes.
    """
    with torch.no_grad():
        net.eval().bias[[PAD, UNK, BOS]] = SILENT
    layers, size = len(net.decoder), net.width // net.heads
    of, layer = (of if size % EIGHT == 0 else "request"), (max(0, layers - 2) if layer is None else layer)
    memory = tuple(
        Named(name=f"{part}_{i}", dtype="float32", axes=("B", net.heads, "S", size))
        for i in range(layers)
        for part in ("keys", "values")
    )
    caches = tuple(
        Cache(name=f"past_{part}_{i}", heads=net.heads, width=size, of=of)
        for i in range(layers)
        for part in ("keys", "values")
    )
    inputs = (
        Named(name="token", dtype="int64", axes=("B", "K")),
        Named(name="mask", dtype="bool", axes=("B", "S")),
        *CACHE_INPUTS[of],
        *memory,
        *(past(one) for one in caches),
    )
    encode, core = (_Encode, _Core) if of == "request" else (FusedEncode, _RowCore)
    outputs = ["logits", "attention", "attention_heads", *(present(one).name for one in caches)]
    of_self = (
        AttentionOutput(name="encoder_self", kind="self", layers=len(net.encoder), heads=net.heads, stack="encoder"),
        AttentionOutput(name="decoder_self", kind="self", layers=layers, heads=net.heads, stack="decoder"),
    )
    return Plan(
        stepper=TransformerStepper(net, layer, head),
        encode=trace(encode(net), ENCODE_INPUTS, [one.name for one in memory], {"B": 3, "S": 5}),
        core=trace(core(net, layer, head), inputs, outputs, SIZES[of]),
        encode_inputs=ENCODE_INPUTS,
        memory=memory,
        states=(),
        caches=caches,
        outputs=(
            Named(name="attention", dtype="float32", axes=("B", "K", "S")),
            Named(name="attention_heads", dtype="float32", axes=("B", "K", layers, net.heads, "S")),
        ),
        attention=(
            AttentionOutput(name="attention", kind="cross", default_layer=layer, default_head=head),
            AttentionOutput(
                name="attention_heads",
                kind="cross",
                layers=layers,
                heads=net.heads,
                default_layer=layer,
                default_head=head,
            ),
        ),
        fields={"task": "translate", "input": "text", "vocabulary_size": net.vocabulary},
        own=trace(_Own(net), OWN_INPUTS, [one.name for one in of_self], {"B": 3, "S": 5, "T": 4}),
        self_attention=of_self,
    )


def shown(weights: list[Tensor], layer: int, head: Head) -> Tensor:
    """The row shown by default (B, K, S), of each layer's weights (B, N, K, S)."""
    return weights[layer].mean(1) if head == "mean" else weights[layer][:, head]


class _Encode(nn.Module):
    def __init__(self, net: TransformerTranslator) -> None:
        super().__init__()
        self.net = net

    def forward(self, source: Tensor, lengths: Tensor) -> list[Tensor]:
        """source (B, S), lengths (B,) -> keys and values of every layer (B, N, S, d)."""
        mask = torch.arange(source.shape[1])[None] < lengths[:, None]
        return [part for memory in self.net.encode(source, mask) for part in memory]


class _Own(nn.Module):
    def __init__(self, net: TransformerTranslator) -> None:
        super().__init__()
        self.net = net

    def forward(self, source: Tensor, lengths: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """source (B, S), lengths (B,), given (B, T) -> the weights of both stacks' self-attention."""
        mask = torch.arange(source.shape[1])[None] < lengths[:, None]
        return self_attention(self.net, source, mask, given)


class _Core(nn.Module):
    def __init__(self, net: TransformerTranslator, layer: int, head: Head) -> None:
        super().__init__()
        self.net, self.layer, self.head = net, layer, head

    def forward(self, *given: Tensor) -> list[Tensor]:
        """As `TransformerTranslator.step`, its lists laid out flat."""
        (token, mask, position, ancestors), rest = given[:4], given[4:]
        pairs = [rest[i : i + 2] for i in range(0, len(rest), 2)]
        layers = len(pairs) // 2
        memory, caches = [Memory(*pair) for pair in pairs[:layers]], [Past(*pair) for pair in pairs[layers:]]
        logits, entries, _, weights = self.net.step(token, position, memory, mask, caches, ancestors)
        heads = torch.stack(weights, 1).permute(0, 3, 1, 2, 4)
        return [logits, shown(weights, self.layer, self.head), heads, *(part for entry in entries for part in entry)]


class _RowCore(nn.Module):
    def __init__(self, net: TransformerTranslator, layer: int, head: Head) -> None:
        super().__init__()
        self.fused, self.layer, self.head = FusedCore(net), layer, head

    def forward(self, *given: Tensor) -> list[Tensor]:
        """As `FusedCore.step`, its lists laid out flat."""
        (token, mask, position, entries, most), rest = given[:5], given[5:]
        pairs = [(rest[i], rest[i + 1]) for i in range(0, len(rest), 2)]
        layers = len(pairs) // 2
        found = self.fused.step(token, mask, position, (entries, most), pairs[:layers], pairs[layers:])
        logits, caches, weights = found
        return [logits, shown(list(weights.unbind(1)), self.layer, self.head), weights.permute(0, 3, 1, 2, 4), *caches]


class TransformerStepper:
    """See `export.plan.Stepper`."""

    def __init__(self, net: TransformerTranslator, layer: int, head: Head) -> None:
        self.net, self.layer, self.head = net, layer, head

    def begin(self, one: dict[str, np.ndarray]) -> Any:
        return self.net.begin(torch.from_numpy(one["source"])[None])

    def follow(self, token: Tensor, place: Any) -> StepResult:
        logits, weights, place = self.net.follow(token, place)
        return StepResult(torch.log_softmax(logits, -1), shown(weights, self.layer, self.head), place)
