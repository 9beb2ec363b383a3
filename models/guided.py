"""Guided alignment: a cost for rows that do not look where a known alignment does (Chen et al. 2016, as in Marian).

Knows nothing of nets. Known alignments come from `models/grammar/`, by words; here they are made rows over pieces.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bundle.text import Vocabulary
from models.alignment import membership, spans
from models.grammar import Aligned


def rows(pair: Aligned, vocabulary: Vocabulary) -> np.ndarray:
    """Where each piece of the target should look (T, S), both with EOS; zero for a word without a counterpart.

    A piece looks at all pieces of its word's counterpart alike; EOS looks at EOS.
    """
    source, target = pair.texts()
    into = membership(vocabulary.pieces(source), spans(pair.source, source))
    of = membership(vocabulary.pieces(target), spans(pair.target, target))
    wanted = np.zeros((len(pair.target), len(pair.source)), np.float32)
    for i, j in pair.links:
        wanted[j, i] = 1
    made = np.zeros((of.shape[1] + 1, into.shape[1] + 1), np.float32)
    made[:-1, :-1] = of.T @ wanted @ into
    made[-1, -1] = 1
    return made / np.maximum(made.sum(1, keepdims=True), 1e-9)


def stacked(every: Sequence[np.ndarray | None], shape: tuple[int, int, int]) -> Tensor:
    """Rows of each pair as one array (B, T, S), zero where nothing is known."""
    out = np.zeros(shape, np.float32)
    for target, one in zip(out, every, strict=True):
        if one is not None:
            target[: one.shape[0], : one.shape[1]] = one
    return torch.from_numpy(out)


def cost(weights: Tensor, wanted: Tensor) -> Tensor:
    """Mean cross-entropy of the rows that are known: weights and wanted (B, T, S); zero where none is."""
    known = (wanted.sum(-1) > 0).sum().clamp(min=1)
    return -(wanted * weights.clamp(min=1e-9).log()).sum() / known
