"""The recurrent translators' graphs: the encoder's GRU is written out node by node, the rest is traced from torch.

Knows nothing of files, precisions or text; nor of which attention a net has, beyond what the contract says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from bundle.graphs import AttentionOutput, State
from bundle.graphs import Tensor as Named
from bundle.text import BOS, PAD, UNK
from export.plan import Plan, StepResult
from export.search_graph import OPSET, value
from export.trace import trace
from models.attention import Attention
from models.nets.translator import RecurrentTranslator

SILENT = -1e9  # the bias of pieces that are never said


def silence(bias: Tensor, said: np.ndarray) -> None:
    """Let a net say only the pieces `said`: its bias (V) is changed in place."""
    with torch.no_grad():
        bias[torch.from_numpy(np.setdiff1d(np.arange(len(bias)), said))] = SILENT


def plan(net: RecurrentTranslator) -> Plan:
    """Graphs of a trained net. PAD, UNK and BOS get a bias that no search overcomes."""
    net = net.eval()
    with torch.no_grad():
        net.bias[[PAD, UNK, BOS]] = SILENT
    memory, outputs = remembered(net.attention), shown(net.attention)
    inputs = (
        Named(name="token", dtype="int64", axes=("B", "K")),
        Named(name="state_in", dtype="float32", axes=("B", "K", net.state_width)),
        Named(name="mask", dtype="bool", axes=("B", "S")),
        *memory,
    )
    names = ["logits", "state_out", *(one.name for one in outputs)]
    return Plan(
        stepper=TranslatorStepper(net),
        encode=encode_graph(net, memory),
        core=trace(_Core(net), inputs, names, {"B": 3, "K": 2, "S": 5}),
        encode_inputs=ENCODE_INPUTS,
        memory=memory,
        states=(State(name="state", width=net.state_width),),
        outputs=outputs,
        attention=(AttentionOutput(name="attention", kind="cross"),) if net.attention.maps else (),
        fields={"task": "translate", "input": "text", "vocabulary_size": net.vocabulary},
    )


ENCODE_INPUTS = (
    Named(name="source", dtype="int64", axes=("B", "S")),
    Named(name="lengths", dtype="int32", axes=("B",)),
)
WINDOW = ("window_start", "window_end")  # extras of a net that looks at a window: its first and last position


def remembered(attention: Attention) -> tuple[Named, ...]:
    """What every step reads of the source: the memory, and its keys where they are not the memory itself."""
    if not attention.maps:
        return ()
    memory = Named(name="memory", dtype="float32", axes=("B", "S", attention.memory_width))
    if attention.key_width is None:
        return (memory,)
    return memory, Named(name="keys", dtype="float32", axes=("B", "S", attention.key_width))


def shown(attention: Attention) -> tuple[Named, ...]:
    """What a step tells of where it looked."""
    if not attention.maps:
        return ()
    edges = WINDOW if attention.windowed else ()
    return (
        Named(name="attention", dtype="float32", axes=("B", "K", "S")),
        *(Named(name=edge, dtype="float32", axes=("B", "K")) for edge in edges),
    )


class _Core(nn.Module):
    def __init__(self, net: RecurrentTranslator) -> None:
        super().__init__()
        self.net = net

    def forward(self, *given: Tensor) -> list[Tensor]:
        """As `RecurrentTranslator.step`; what `remembered` leaves out is not there, or is the memory itself."""
        (token, state, mask), memory = given[:3], given[3:]
        values, keys = (memory[0], memory[-1]) if memory else (state, state)
        logits, state, seen = self.net.step(token, state, values, keys, mask)
        if not self.net.attention.maps:
            return [logits, state]
        edges = [] if seen.window is None else [seen.window[..., 0], seen.window[..., 1]]
        return [logits, state, seen.weights, *edges]


class TranslatorStepper:
    """See `export.plan.Stepper`."""

    def __init__(self, net: RecurrentTranslator) -> None:
        self.net = net

    def begin(self, one: dict[str, np.ndarray]) -> Any:
        return self.net.begin(torch.from_numpy(one["source"])[None])

    def follow(self, token: Tensor, place: Any) -> StepResult:
        logits, weights, place = self.net.follow(token, place)
        return StepResult(torch.log_softmax(logits, -1), weights, place)


def encode_graph(net: RecurrentTranslator, memory: tuple[Named, ...]) -> onnx.ModelProto:
    """source (B, S), lengths (B,) -> what is remembered (B, S, …), state (B, W).

    The GRU is written out, because ONNX's own takes lengths and torch's exporter does not export packed sequences;
    what the net makes of its states is traced.
    """
    node, width = helper.make_node, net.encoder.hidden_size
    begun = (Named(name="memory", dtype="float32", axes=("B", "S", 2 * width)),) if memory else ()
    last = Named(name="last", dtype="float32", axes=(2, "B", width))
    outputs = [*(one.name for one in memory[1:]), "state"]
    rest = trace(_Begin(net), (last, *begun), outputs, {"B": 3, "S": 5} if memory else {"B": 3}).graph
    made = helper.make_graph(
        [
            node("Transpose", ["source"], ["by_time"], perm=[1, 0]),
            node("Gather", ["embedding", "by_time"], ["embedded"]),  # (S, B, E)
            node(
                "GRU",
                ["embedded", "gru_w", "gru_r", "gru_b", "lengths"],
                ["outputs", "last"],  # (S, 2, B, H), (2, B, H)
                hidden_size=width,
                direction="bidirectional",
                linear_before_reset=1,
            ),
            node("Transpose", ["outputs"], ["by_request"], perm=[2, 0, 1, 3]),
            node("Reshape", ["by_request", "merge"], ["memory"]),
            *rest.node,
        ],
        "encode",
        [value(one) for one in ENCODE_INPUTS],
        [value(one) for one in (*memory, Named(name="state", dtype="float32", axes=("B", net.state_width)))],
        [*(numpy_helper.from_array(array, name) for name, array in _encode_weights(net).items()), *rest.initializer],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    return model


class _Begin(nn.Module):
    def __init__(self, net: RecurrentTranslator) -> None:
        super().__init__()
        self.net = net

    def forward(self, *given: Tensor) -> list[Tensor]:
        """last (2, B, H), memory (B, S, M) if there is any -> keys if they are made, state (B, W)."""
        last, memory = given[0], given[1:]
        keys = [self.net.attention.project(memory[0])] if memory and self.net.attention.key_width else []
        return [*keys, self.net.first(last)]


def _encode_weights(net: RecurrentTranslator) -> dict[str, np.ndarray]:
    """The constants of the part that is written out, by name."""
    weights = {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}
    both = [
        {part: gates(weights[f"encoder.{part}_l0{way}"]) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        for way in ("", "_reverse")
    ]
    return {
        "embedding": weights["embedding.weight"],
        "gru_w": np.stack([way["weight_ih"] for way in both]),
        "gru_r": np.stack([way["weight_hh"] for way in both]),
        "gru_b": np.stack([np.concatenate([way["bias_ih"], way["bias_hh"]]) for way in both]),
        "merge": np.array([0, 0, -1], np.int64),
    }


def gates(weight: np.ndarray) -> np.ndarray:
    """torch's gate order (reset, update, new) to ONNX's (update, reset, new), along the first axis."""
    reset, update, new = np.split(weight, 3)
    return np.concatenate([update, reset, new])
