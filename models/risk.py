"""Minimum risk training of a translator: what it may answer to a source is made likelier the more BLEU it brings.

Shen et al. 2016, "Minimum Risk Training for Neural Machine Translation", §3, with the mean log-probability a piece of
Edunov et al. 2018, §4.2, and candidates that a search found before (`python -m export candidates`). Cross-entropy asks
for the reference's next piece after the reference's own beginning; this asks which whole answers of the net are better.
Knows nothing of optimisers. A candidate costs what it takes from the BLEU of all sentences together (`shares`
of `models/scst.py`): BLEU of single sentences pays for answers that are too short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sacrebleu.metrics.bleu import BLEU
from torch import Tensor

from bundle.text import BOS, EOS, PAD, Vocabulary
from models.data import LONGEST, Pair, bucketed, lines, padded
from models.loss import smoothed_cross_entropy
from models.nets.transformer import TransformerTranslator
from models.nets.translator import RecurrentTranslator
from models.scst import shares


class Candidates(NamedTuple):
    """A source, its reference and what a search found for it."""

    source: str
    reference: str
    texts: Sequence[str]


def read(path: Path) -> list[Candidates]:
    """What `python -m export candidates` wrote."""
    rows = [line.split("\t") for line in lines(path)]
    return [Candidates(source, reference, texts) for source, reference, *texts in rows]


def best(known: Sequence[Candidates], of_each: int) -> list[Pair]:
    """Each source that has `of_each` candidates with the one of them that costs least."""
    kept = [one for one in known if len(one.texts) >= of_each]
    places = costs(kept, of_each).argmin(1)
    return [Pair(one.source, one.texts[i]) for one, i in zip(kept, places, strict=True)]


class Rivals(NamedTuple):
    """Sources (B, S), K candidates of each (B x K, T), one source's after the other, and what each costs (B, K)."""

    source: Tensor
    target: Tensor
    costs: Tensor


class Risk:
    """Candidates, cut into pieces and judged once.

    Sources with fewer than `of_each` are left out; `tag` is put before each.
    """

    def __init__(
        self, known: Sequence[Candidates], vocabulary: Vocabulary, of_each: int, tag: Sequence[int] = ()
    ) -> None:
        kept = [one for one in known if len(one.texts) >= of_each]
        pieces = [
            ([*tag, *vocabulary.ids(one.source), EOS], [[*vocabulary.ids(text), EOS] for text in one.texts[:of_each]])
            for one in kept
        ]
        fit = [i for i, (source, targets) in enumerate(pieces) if max(map(len, [source, *targets])) <= LONGEST]
        self.sources, self.targets = [pieces[i][0] for i in fit], [pieces[i][1] for i in fit]
        self.costs = costs([kept[i] for i in fit], of_each)
        self.of_each = of_each

    def batches(self, cells: int, random: np.random.Generator) -> Iterator[Rivals]:
        """Without end: batches of like length, of at most `cells` padded positions in all their candidates."""
        lengths = np.array(
            [(len(s), max(map(len, targets))) for s, targets in zip(self.sources, self.targets, strict=True)]
        )
        while True:
            for places in bucketed(lengths, cells // self.of_each, random):
                source = padded([self.sources[i] for i in places])
                target = padded([target for i in places for target in self.targets[i]])
                yield Rivals(torch.from_numpy(source), torch.from_numpy(target), torch.from_numpy(self.costs[places]))


def costs(known: Sequence[Candidates], of_each: int) -> np.ndarray:
    """(N, K): minus the change of the corpus's log BLEU, times its size, by each candidate; mean 0 over a source's."""
    bleu = BLEU(lowercase=True, effective_order=True)
    counts = np.array(
        [[_counts(bleu, text, one.reference) for text in one.texts[:of_each]] for one in known], np.float64
    )
    earned = shares(counts.reshape(-1, counts.shape[-1]), counts[:, 0].mean(0)).reshape(counts.shape[:2])
    return (earned.mean(1, keepdims=True) - earned).astype(np.float32)


def _counts(bleu: BLEU, text: str, reference: str) -> list[float]:
    """Hits of orders 1 to 4, n-grams of orders 1 to 4, length, reference's length."""
    score = bleu.sentence_score(text, [reference])
    return [*score.counts, *score.totals, score.sys_len, score.ref_len]


def expected_cost(net: TransformerTranslator | RecurrentTranslator, rivals: Rivals, sharpness: float) -> Tensor:
    """Mean over sources of Σ p(y) cost(y), p the softmax over candidates of `sharpness` x mean log-probability a piece.

    Without dropout: the probabilities are those of the net that will search.
    """
    source, target, cost = rivals
    real = target != PAD
    given = torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], 1)
    training = net.training
    net.eval()
    surprise = smoothed_cross_entropy(net.logits_at(source, given, real), target[real], 0.0)
    net.train(training)
    whole = torch.zeros(real.shape, dtype=surprise.dtype).masked_scatter(real, surprise).sum(1) / real.sum(1)
    return (torch.softmax(-sharpness * whole.view(cost.shape), 1) * cost).sum(1).mean()
