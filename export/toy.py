"""Tiny seeded bundles in seconds, for tests: an echo, and untrained nets of each architecture.

Knows nothing of data sets. The echo's output and attention are functions of its input: piece t of
the answer is piece t of the source, looked at with weight one, so that a mix-up between guests is
visible in the text and in the map.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from bundle.graphs import AttentionOutput, State
from bundle.graphs import Tensor as Named
from bundle.manifest import Manifest
from bundle.text import PAD, Vocabulary, train_vocabulary
from export import lamp, transformer, translator
from export.build import build
from export.plan import Plan, StepResult
from export.samples import Inputs, source
from export.search_graph import value
from export.trace import trace
from models.nets.luong import LuongTranslator
from models.nets.transformer import TransformerTranslator
from models.nets.translator import RecurrentTranslator

SENTENCES = (
    "the quick brown fox jumps over the lazy dog",
    "a small house stands near the old river",
    "two children play with a red ball in the park",
    "ein kleines Haus steht am Fluss",
    "zwei Kinder spielen mit einem roten Ball",
    "she reads a book and drinks cold water",
    "Straße, Äpfel und Öl: schöne Grüße!",
    "why do birds sing before the sun comes up?",
)
PIECES = 120
Maker = Callable[[int], Plan]  # from the size of the vocabulary


class Echo(nn.Module):
    """A net without weights: memory is the source in one-hot form, the state is the step's number."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary

    def forward(self, token: Tensor, step: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """token (B, K), step (B, K, 1), memory (B, S, V) -> logits (B, K, V), step + 1, weights (B, K, S)."""
        places = torch.cumsum(mask.to(torch.float32), 1) - 1  # (B, S)
        near = -60.0 * (places[:, None, :] - step) ** 2
        weights = torch.softmax(near.masked_fill(~mask[:, None, :], -1e9), -1)
        silent = torch.nn.functional.one_hot(token * 0 + PAD, self.vocabulary).to(torch.float32) * 1e4
        return 9.0 * torch.matmul(weights, memory) - silent, step + 1, weights


class EchoStepper:
    """See `export.plan.Stepper`."""

    def __init__(self, net: Echo) -> None:
        self.net = net

    def begin(self, one: Inputs) -> Any:
        memory = nn.functional.one_hot(torch.from_numpy(one["source"])[None], self.net.vocabulary).float()
        return memory, torch.ones(memory.shape[:2], dtype=torch.bool), torch.zeros(1, 1, 1)

    def follow(self, token: Tensor, place: Any) -> StepResult:
        memory, mask, step = place
        logits, step, weights = self.net(token, step, memory, mask)
        return StepResult(torch.log_softmax(logits, -1), weights, (memory, mask, step))


class _EchoEncode(nn.Module):
    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """One-hot source (B, S, V) and step number zero (B, 1)."""
        return nn.functional.one_hot(source, self.vocabulary).float(), lengths[:, None].float() * 0


def echo_plan(vocabulary: int) -> Plan:
    """Graphs of the echo."""
    net = Echo(vocabulary)
    memory = (Named(name="memory", dtype="float32", axes=("B", "S", vocabulary)),)
    inputs = (
        Named(name="token", dtype="int64", axes=("B", "K")),
        Named(name="step_number_in", dtype="float32", axes=("B", "K", 1)),
        *memory,
        Named(name="mask", dtype="bool", axes=("B", "S")),
    )
    encode = trace(_EchoEncode(vocabulary), translator.ENCODE_INPUTS, ["memory", "step_number"], {"B": 3, "S": 5})
    return Plan(
        stepper=EchoStepper(net),
        encode=_named(encode, translator.ENCODE_INPUTS),
        core=trace(net, inputs, ["logits", "step_number_out", "attention"], {"B": 3, "K": 2, "S": 5}),
        encode_inputs=translator.ENCODE_INPUTS,
        memory=memory,
        states=(State(name="step_number", width=1),),
        outputs=(Named(name="attention", dtype="float32", axes=("B", "K", "S")),),
        attention=(AttentionOutput(name="attention", kind="cross"),),
        fields={"task": "translate", "input": "text", "vocabulary_size": vocabulary},
    )


def _named(model: onnx.ModelProto, inputs: tuple[Named, ...]) -> onnx.ModelProto:
    """Give a traced graph exactly these inputs, in case the exporter dropped one that is not used."""
    del model.graph.input[:]
    model.graph.input.extend(value(one) for one in inputs)
    return model


def recurrent_net(vocabulary: int) -> RecurrentTranslator:
    """An untrained Bahdanau translator of toy size."""
    net = RecurrentTranslator(vocabulary, embedding=16, encoder=12, decoder=20, attention_width=14)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5)  # lively enough that beams cross and attention moves
    return net


def recurrent_plan(vocabulary: int) -> Plan:
    """Its graphs."""
    return translator.plan(recurrent_net(vocabulary))


def variant_plan(name: str, kind: type[RecurrentTranslator] = LuongTranslator, std: float = 0.3) -> Maker:
    """Graphs of an untrained translator of toy size with an attention of `models/attention`."""

    def made(vocabulary: int) -> Plan:
        net = kind(vocabulary, attention=name, embedding=10, encoder=10, decoder=20, attention_width=14)
        for parameter in net.parameters():
            nn.init.normal_(parameter, std=std)  # calmer than the others: a window that jumps is no test of int8
        return translator.plan(net)

    return made


def transformer_net(vocabulary: int) -> TransformerTranslator:
    """An untrained Transformer of toy size."""
    net = TransformerTranslator(vocabulary, width=24, heads=3, inner=16, encoder_layers=2, decoder_layers=2)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5)
    return net


def transformer_plan(vocabulary: int) -> Plan:
    """Its graphs."""
    return transformer.plan(transformer_net(vocabulary))


TOYS: dict[str, Maker] = {
    "toy-echo": echo_plan,
    "toy-lamp": lamp.plan,
    "toy-recurrent": recurrent_plan,
    "toy-transformer": transformer_plan,
    "toy-request": lambda vocabulary: transformer.plan(transformer_net(vocabulary), of="request"),
    "toy-none": variant_plan("fixed", RecurrentTranslator),
    "toy-local": variant_plan("local_p"),
    "toy-pairs": echo_plan,
}
PAIRS = {"toy-pairs": [["en", "de", "<2de>"], ["en", "fr", "<2fr>"], ["fr", "de"]]}  # of one source by tags


def described(name: str) -> dict[str, Any]:
    """The manifest's fields that a person gives, for a toy."""
    return {
        "name": name,
        "version": "0",
        "architecture": name.removeprefix("toy-"),
        "description": "A toy for tests: it has learned nothing.",
        **(
            {"pairs": PAIRS[name]}
            if name in PAIRS
            else {"source": None if name == "toy-lamp" else "en", "target": "de"}
        ),
        "limits": {"source": lamp.SIDE**2 if name == "toy-lamp" else 64, "target": 48},
        "trained_on": ["nothing"],
        "licence": "Apache-2.0",
    }


def toy(folder: Path, name: str, *, seed: int = 1, precisions: tuple[str, ...] = ("fp32", "int8")) -> Manifest:
    """Write the toy bundle of this name under a folder.

    Raises:
        ValueError: no toy of this name.
    """
    if name not in TOYS:
        raise ValueError(f"no toy {name!r}: {', '.join(TOYS)}")
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as scratch:
        tags = [tag for _, _, *more in PAIRS.get(name, ()) for tag in more]
        path = train_vocabulary(SENTENCES, Path(scratch) / "toy", PIECES, marks=tags)
        vocabulary = Vocabulary(path)
        plan = TOYS[name](len(vocabulary))
        inputs = lamp.pictures(seed) if name == "toy-lamp" else [source(vocabulary, text) for text in SENTENCES]
        command = f"python -m export toy {name} --seed {seed}"
        return build(folder / name, plan, path, described(name), inputs, precisions=precisions, command=command)


def main(arguments: list[str]) -> int:
    """Write one toy."""
    parser = argparse.ArgumentParser(prog="python -m export toy", description="Write a tiny seeded bundle.")
    parser.add_argument("name", choices=sorted(TOYS))
    parser.add_argument("folder", type=Path, help="the bundle is written to FOLDER/NAME")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    toy(given.folder, given.name, seed=given.seed)
    return 0
