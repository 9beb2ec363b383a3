"""Which head of a Transformer is shown as its map: the one that aligns best, or the mean of a layer's heads.

Knows nothing of graphs. Measured at export on sentences whose alignment is known (`models/grammar/`): a head taken by
its number may look at nothing that a reader would call the source of a word (OpenNMT-py #903).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch

from bundle.text import BOS, EOS, Vocabulary
from models.alignment import error_rate, links
from models.grammar import Aligned, sentences
from models.nets.transformer import TransformerTranslator

SEED, SENTENCES = 1, 100  # others than those that `export/align.py` reports on


class Shown(NamedTuple):
    """A head, or the mean of its layer's, and its alignment error rate."""

    layer: int
    head: int | Literal["mean"]
    error: float


def best(net: TransformerTranslator, vocabulary: Vocabulary, source: str, target: str) -> Shown:
    """The head, or mean, with the smallest error between two languages that a grammar speaks."""
    pairs = sentences(source, target, SEED, SENTENCES)
    every = [rows(net.eval(), vocabulary, pair) for pair in pairs]
    return min(_candidates(every, pairs, vocabulary), key=lambda shown: shown.error)


def _candidates(every: list[np.ndarray], pairs: list[Aligned], vocabulary: Vocabulary) -> Iterator[Shown]:
    def error(some: list[np.ndarray]) -> float:
        told = zip(some, pairs, strict=True)
        return round(error_rate((links(one, pair, vocabulary), pair.links) for one, pair in told), 4)

    layers, heads = every[0].shape[1:3]
    for layer in range(layers):
        yield Shown(layer, "mean", error([one[:, layer].mean(1) for one in every]))
        for head in range(heads):
            yield Shown(layer, head, error([one[:, layer, head] for one in every]))


@torch.no_grad()
def rows(net: TransformerTranslator, vocabulary: Vocabulary, pair: Aligned) -> np.ndarray:
    """The cross-attention (T, layers, heads, S) with which a net says the grammar's own translation."""
    source, target = pair.texts()
    place = net.begin(torch.tensor([[*vocabulary.ids(source), EOS]]))
    steps = []
    for piece in [BOS, *vocabulary.ids(target)]:
        _, weights, place = net.follow(torch.tensor([[piece]]), place)
        steps.append(torch.stack([layer[0, :, 0] for layer in weights]).numpy())
    return np.stack(steps)
