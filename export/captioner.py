"""The captioner's graphs: the picture encoder with its frozen trunk, and one LSTM step.

Knows nothing of files, precisions or words.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bundle.graphs import AttentionOutput, ImageInput, State
from bundle.graphs import Tensor as Named
from bundle.text import BOS, PAD, UNK
from export.plan import Plan, StepResult
from export.samples import Inputs
from export.trace import trace
from export.translator import SILENT
from models.encoders import MEAN, SCALE, SIZE
from models.nets.captioner import Captioner

ENCODE_INPUTS = (Named(name="pixels", dtype="float32", axes=("B", 3, SIZE, SIZE)),)
SIDE = 14  # places of the grid along each side


def plan(net: Captioner) -> Plan:
    """Graphs of a trained net. PAD, UNK and BOS get a bias that no search overcomes."""
    net = net.eval()
    with torch.no_grad():
        net.bias[[PAD, UNK, BOS]] = SILENT
    width = net.decoder_width
    memory = (
        Named(name="memory", dtype="float32", axes=("B", "S", net.attention.memory_width)),
        Named(name="keys", dtype="float32", axes=("B", "S", net.attention.attention_width)),
    )
    states = (State(name="hidden", width=width), State(name="cell", width=width))
    inputs = (
        Named(name="token", dtype="int64", axes=("B", "K")),
        Named(name="hidden_in", dtype="float32", axes=("B", "K", width)),
        Named(name="cell_in", dtype="float32", axes=("B", "K", width)),
        *memory,
        Named(name="mask", dtype="bool", axes=("B", "S")),
    )
    scalars = ("gate", "sampled") if net.hard else ("gate",)
    outputs = ["logits", "hidden_out", "cell_out", "attention", *scalars]
    return Plan(
        stepper=CaptionerStepper(net),
        encode=trace(_Encode(net), ENCODE_INPUTS, ["memory", "keys", "hidden", "cell"], {"B": 3}),
        core=trace(_Core(net), inputs, outputs, {"B": 3, "K": 2, "S": 5}),
        encode_inputs=ENCODE_INPUTS,
        memory=memory,
        states=states,
        outputs=(
            Named(name="attention", dtype="float32", axes=("B", "K", "S")),
            *(Named(name=name, dtype="float32", axes=("B", "K")) for name in scalars),
        ),
        attention=(AttentionOutput(name="attention", kind="spatial"),),
        fields={
            "task": "caption",
            "input": "image",
            "vocabulary_size": net.vocabulary,
            "image": ImageInput(size=SIZE, mean=MEAN, scale=SCALE, rows=SIDE, cols=SIDE).model_dump(),
        },
    )


class _Encode(nn.Module):
    def __init__(self, net: Captioner) -> None:
        super().__init__()
        self.net, self.trunk = net, net.trunk

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As `Captioner.encode`."""
        return self.net.begin(self.trunk(pixels))


class _Core(nn.Module):
    def __init__(self, net: Captioner) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, token: Tensor, hidden: Tensor, cell: Tensor, memory: Tensor, keys: Tensor, mask: Tensor
    ) -> tuple[Tensor, ...]:
        """As `Captioner.step`; where attention is hard, also the place that was looked at."""
        out = self.net.step(token, hidden, cell, memory, keys, mask)
        return (*out, out[3].argmax(-1).to(torch.float32)) if self.net.hard else out


class CaptionerStepper:
    """See `export.plan.Stepper`."""

    def __init__(self, net: Captioner) -> None:
        self.net = net

    def begin(self, one: Inputs) -> Any:
        """Memory and keys, hidden and cell of one picture."""
        memory, keys, hidden, cell = self.net.encode(torch.from_numpy(one["pixels"])[None])
        return memory, keys, torch.ones(memory.shape[:2], dtype=torch.bool), hidden[:, None], cell[:, None]

    def follow(self, token: Tensor, place: Any) -> StepResult:
        """One step."""
        memory, keys, mask, hidden, cell = place
        logits, hidden, cell, weights, _ = self.net.step(token, hidden, cell, memory, keys, mask)
        return StepResult(torch.log_softmax(logits, -1), weights, (memory, keys, mask, hidden, cell))
