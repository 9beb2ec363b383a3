"""A toy captioner that looks where the picture is bright: its map is known from the picture alone.

Knows nothing of training: it has no weights. It says the same three words of every picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bundle.graphs import AttentionOutput, ImageInput, State
from bundle.graphs import Tensor as Named
from bundle.text import EOS, PAD
from export.plan import Plan, StepResult
from export.samples import Inputs
from export.trace import trace

SIZE, SIDE = 112, 14
WORDS = 3
SHARP = 20.0  # a white cell among black ones gets almost everything


class Lamp(nn.Module):
    """Memory is the brightness of each cell, the state is the step's number."""

    def __init__(self, vocabulary: int, first: int) -> None:
        """first: the id of the first word that it says; the next ids follow."""
        super().__init__()
        self.vocabulary, self.first = vocabulary, first

    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """pixels (B, 3, size, size) in -1..1 -> brightness (B, S, 1), step number zero (B, 1)."""
        cells = nn.functional.avg_pool2d(pixels.mean(1, keepdim=True), SIZE // SIDE)
        return cells.flatten(2).transpose(1, 2), pixels[:, 0, 0, :1] * 0

    def forward(self, token: Tensor, step: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """token (B, K), step (B, K, 1), memory (B, S, 1) -> logits (B, K, V), step + 1, weights (B, K, S)."""
        energies = SHARP * memory[:, :, 0][:, None, :] + 0 * step
        weights = torch.softmax(energies.masked_fill(~mask[:, None, :], -1e9), -1)
        ids = torch.arange(self.vocabulary)
        said = -((ids - self.first - step) ** 2) - 1e4 * (ids == PAD) - 1e4 * (ids == EOS)
        logits = said + 2e4 * (ids == EOS) * (step >= WORDS) + 0 * token[..., None]
        return logits.to(torch.float32), step + 1, weights


class _Encode(nn.Module):
    def __init__(self, net: Lamp) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """As `Lamp.encode`."""
        return self.net.encode(pixels)


class LampStepper:
    """See `export.plan.Stepper`."""

    def __init__(self, net: Lamp) -> None:
        self.net = net

    def begin(self, one: Inputs) -> Any:
        """Brightness of the cells of one picture, and the step's number."""
        memory, step = self.net.encode(torch.from_numpy(one["pixels"])[None])
        return memory, torch.ones(memory.shape[:2], dtype=torch.bool), step[:, None]

    def follow(self, token: Tensor, place: Any) -> StepResult:
        """One step."""
        memory, mask, step = place
        logits, step, weights = self.net(token, step, memory, mask)
        return StepResult(torch.log_softmax(logits, -1), weights, (memory, mask, step))


def plan(vocabulary: int) -> Plan:
    """Graphs of the lamp; it says the last ids but one of the vocabulary, which are single letters."""
    net = Lamp(vocabulary, vocabulary - WORDS - 1)
    pixels = (Named(name="pixels", dtype="float32", axes=("B", 3, SIZE, SIZE)),)
    memory = (Named(name="memory", dtype="float32", axes=("B", "S", 1)),)
    inputs = (
        Named(name="token", dtype="int64", axes=("B", "K")),
        Named(name="step_number_in", dtype="float32", axes=("B", "K", 1)),
        *memory,
        Named(name="mask", dtype="bool", axes=("B", "S")),
    )
    return Plan(
        stepper=LampStepper(net),
        encode=trace(_Encode(net), pixels, ["memory", "step_number"], {"B": 3}),
        core=trace(net, inputs, ["logits", "step_number_out", "attention"], {"B": 3, "K": 2, "S": 5}),
        encode_inputs=pixels,
        memory=memory,
        states=(State(name="step_number", width=1),),
        outputs=(Named(name="attention", dtype="float32", axes=("B", "K", "S")),),
        attention=(AttentionOutput(name="attention", kind="spatial"),),
        fields={
            "task": "caption",
            "input": "image",
            "vocabulary_size": vocabulary,
            "image": ImageInput(size=SIZE, mean=127.5, scale=127.5, rows=SIDE, cols=SIDE).model_dump(),
        },
    )


def pictures(seed: int, number: int = 8) -> list[Inputs]:
    """Grey noise with one bright cell each."""
    random, made = np.random.default_rng(seed), []
    for _ in range(number):
        pixels = random.uniform(-1, 0, (3, SIZE, SIZE)).astype(np.float32)
        row, column = random.integers(0, SIDE, 2) * (SIZE // SIDE)
        pixels[:, row : row + SIZE // SIDE, column : column + SIZE // SIDE] = 1
        made.append({"pixels": pixels})
    return made
