"""The recurrent translator's graphs: encode is written out node by node, step is traced from torch.

Knows nothing of files, precisions or text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from bundle.manifest import AttentionOutput, State
from bundle.manifest import Tensor as Named
from bundle.text import BOS, PAD, UNK
from export.plan import Plan, StepResult
from export.search_graph import OPSET, value
from export.trace import trace
from models.nets.translator import RecurrentTranslator

SILENT = -1e9  # the bias of pieces that are never said


def plan(net: RecurrentTranslator) -> Plan:
    """Graphs of a trained net. PAD, UNK and BOS get a bias that no search overcomes."""
    net = net.eval()
    with torch.no_grad():
        net.bias[[PAD, UNK, BOS]] = SILENT
    memory = (
        Named(name="memory", dtype="float32", axes=("B", "S", net.attention.memory_width)),
        Named(name="keys", dtype="float32", axes=("B", "S", net.attention.attention_width)),
    )
    states = (State(name="state", width=net.decoder_width),)
    weights = Named(name="attention", dtype="float32", axes=("B", "K", "S"))
    inputs = (
        Named(name="token", dtype="int64", axes=("B", "K")),
        Named(name="state_in", dtype="float32", axes=("B", "K", net.decoder_width)),
        *memory,
        Named(name="mask", dtype="bool", axes=("B", "S")),
    )
    core = trace(_Core(net), inputs, ["logits", "state_out", "attention"], {"B": 3, "K": 2, "S": 5})
    return Plan(
        stepper=TranslatorStepper(net),
        encode=encode_graph(net),
        core=core,
        encode_inputs=ENCODE_INPUTS,
        memory=memory,
        states=states,
        outputs=(weights,),
        attention=(AttentionOutput(name="attention", kind="cross"),),
        fields={"task": "translate", "input": "text", "vocabulary_size": net.vocabulary},
    )


ENCODE_INPUTS = (
    Named(name="source", dtype="int64", axes=("B", "S")),
    Named(name="lengths", dtype="int32", axes=("B",)),
)


class _Core(nn.Module):
    def __init__(self, net: RecurrentTranslator) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, token: Tensor, state: Tensor, memory: Tensor, keys: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As `RecurrentTranslator.step`."""
        return self.net.step(token, state, memory, keys, mask)


class TranslatorStepper:
    """See `export.plan.Stepper`."""

    def __init__(self, net: RecurrentTranslator) -> None:
        self.net = net

    def begin(self, one: dict[str, np.ndarray]) -> Any:
        return self.net.begin(torch.from_numpy(one["source"])[None])

    def follow(self, token: Tensor, place: Any) -> StepResult:
        logits, weights, place = self.net.follow(token, place)
        return StepResult(torch.log_softmax(logits, -1), weights, place)


def encode_graph(net: RecurrentTranslator) -> onnx.ModelProto:
    """source (B, S), lengths (B,) -> memory (B, S, M), keys (B, S, A), state (B, H).

    Written out, because ONNX's own GRU takes lengths and torch's exporter does not export packed sequences.
    """
    node, width = helper.make_node, net.encoder.hidden_size
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
            node("MatMul", ["memory", "key_w"], ["key_product"]),
            node("Add", ["key_product", "key_b"], ["keys"]),
            node("Gather", ["last", "backward"], ["first"], axis=0),  # backward state after the first piece
            node("MatMul", ["first", "start_w"], ["start_product"]),
            node("Add", ["start_product", "start_b"], ["start"]),
            node("Tanh", ["start"], ["state"]),
        ],
        "encode",
        [value(one) for one in ENCODE_INPUTS],
        [
            helper.make_tensor_value_info("memory", TensorProto.FLOAT, ["B", "S", 2 * width]),
            helper.make_tensor_value_info("keys", TensorProto.FLOAT, ["B", "S", net.attention.attention_width]),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, ["B", net.decoder_width]),
        ],
        [numpy_helper.from_array(array, name) for name, array in _encode_weights(net).items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def _encode_weights(net: RecurrentTranslator) -> dict[str, np.ndarray]:
    """The encode graph's constants by name."""
    weights = {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}
    both = [
        {part: _gates(weights[f"encoder.{part}_l0{way}"]) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        for way in ("", "_reverse")
    ]
    return {
        "embedding": weights["embedding.weight"],
        "gru_w": np.stack([way["weight_ih"] for way in both]),
        "gru_r": np.stack([way["weight_hh"] for way in both]),
        "gru_b": np.stack([np.concatenate([way["bias_ih"], way["bias_hh"]]) for way in both]),
        "key_w": np.ascontiguousarray(weights["attention.key.weight"].T),
        "key_b": weights["attention.key.bias"],
        "start_w": np.ascontiguousarray(weights["start.weight"].T),
        "start_b": weights["start.bias"],
        "merge": np.array([0, 0, -1], np.int64),
        "backward": np.array(1, np.int64),
    }


def _gates(weight: np.ndarray) -> np.ndarray:
    """torch's gate order (reset, update, new) to ONNX's (update, reset, new), along the first axis."""
    reset, update, new = np.split(weight, 3)
    return np.concatenate([update, reset, new])
