"""Self-critical sequence training of a captioner (Rennie et al. 2017): draw captions, reward the better ones.

Knows nothing of files or of the words behind the ids. Each draw is judged against the mean of its picture's other
draws, so no greedy pass is needed. A draw earns CIDEr-D and BLEU-4 of its one sentence, or what it adds to the BLEU-4
of all draws together: BLEU of single sentences pays for captions that are too short. Where attention is hard, places
are drawn with the words and earn with them. The figures that are reported come from `models/metrics.py`, not from here.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bundle.text import BOS, EOS, PAD, UNK
from models.hard import Places, pick
from models.nets.captioner import Captioner, doubly_stochastic

Gram = tuple[int, ...]
ORDERS = range(1, 5)
SIGMA = 6.0  # of CIDEr-D's penalty on a difference in length


class Known(NamedTuple):
    """What is kept of one caption of the training set."""

    vectors: list[dict[Gram, float]]  # tf-idf, one dict an order
    norms: list[float]
    length: int


def grams(ids: Sequence[int], order: int) -> Counter[Gram]:
    """How often each n-gram of this order occurs."""
    return Counter(zip(*(ids[i:] for i in range(order)), strict=False))


class Rewards:
    """Rewards of captions of N pictures; `references` are their captions as ids, with EOS so that endings count."""

    def __init__(
        self, references: Sequence[Sequence[Sequence[int]]], bleu_weight: float, corpus_weight: float = 0.0
    ) -> None:
        self.bleu_weight, self.corpus_weight, self.log_pictures = bleu_weight, corpus_weight, math.log(len(references))
        self.usual: np.ndarray | None = None  # moving average of `counts` over draws
        seen: defaultdict[Gram, int] = defaultdict(int)
        for captions in references:
            for gram in {gram for ids in captions for order in ORDERS for gram in grams(ids, order)}:
                seen[gram] += 1
        self.rarity = {gram: self.log_pictures - math.log(count) for gram, count in seen.items()}
        self.known = [[self._vectors(ids) for ids in captions] for captions in references]
        self.most = [[_most(captions, order) for order in ORDERS] for captions in references]

    def _vectors(self, ids: Sequence[int]) -> Known:
        rare, default = self.rarity, self.log_pictures
        vectors = [{g: n * rare.get(g, default) for g, n in grams(ids, order).items()} for order in ORDERS]
        return Known(vectors, [math.sqrt(sum(x * x for x in vector.values())) for vector in vectors], len(ids))

    def __call__(self, picture: int, ids: Sequence[int]) -> float:
        """CIDEr-D (0 to 10) plus `bleu_weight` times BLEU-4 (0 to 1) of one caption of a picture."""
        return self.cider(picture, ids) + self.bleu_weight * self.bleu(picture, ids)

    def of(self, pictures: Sequence[int], draws: Sequence[Sequence[int]]) -> np.ndarray:
        """What each draw earns, (N,): `self(...)` and `corpus_weight` times its share of the corpus's log BLEU-4."""
        earned = np.array([self(picture, ids) for picture, ids in zip(pictures, draws, strict=True)])
        if not self.corpus_weight:
            return earned
        counts = np.array([self.counts(picture, ids) for picture, ids in zip(pictures, draws, strict=True)])
        mean = counts.mean(0)
        self.usual = mean if self.usual is None else 0.95 * self.usual + 0.05 * mean
        return earned + self.corpus_weight * shares(counts, self.usual)

    def counts(self, picture: int, ids: Sequence[int]) -> list[float]:
        """What corpus BLEU adds up: hits of orders 1 to 4, n-grams of orders 1 to 4, length, closest length."""
        hits = [
            float(sum(min(n, most.get(gram, 0)) for gram, n in grams(ids, order).items()))
            for order, most in zip(ORDERS, self.most[picture], strict=True)
        ]
        return [*hits, *(max(0.0, len(ids) - order + 1) for order in ORDERS), len(ids), self.closest(picture, ids)]

    def closest(self, picture: int, ids: Sequence[int]) -> int:
        """The length of the picture's caption that is closest in length, the shorter of two."""
        return min((known.length for known in self.known[picture]), key=lambda n: (abs(n - len(ids)), n))

    def cider(self, picture: int, ids: Sequence[int]) -> float:
        """CIDEr-D (Vedantam et al. 2015, §5.3): clipped tf-idf cosine, mean over orders and references, times ten."""
        said, total = self._vectors(ids), 0.0
        for known in self.known[picture]:
            near = math.exp(-((said.length - known.length) ** 2) / (2 * SIGMA**2))
            for ours, theirs, a, b in zip(said.vectors, known.vectors, said.norms, known.norms, strict=True):
                if a and b:
                    product = sum(min(x, theirs[g]) * theirs[g] for g, x in ours.items() if g in theirs)
                    total += near * product / (a * b)
        return 10 * total / len(self.known[picture]) / len(ORDERS)

    def bleu(self, picture: int, ids: Sequence[int]) -> float:
        """BLEU-4 of one sentence, one added to the counts of orders above one (Lin and Och 2004)."""
        logs = 0.0
        for order, most in zip(ORDERS, self.most[picture], strict=True):
            hits = sum(min(n, most.get(gram, 0)) for gram, n in grams(ids, order).items())
            more = order > 1
            if not hits + more:
                return 0.0
            logs += math.log((hits + more) / (max(0, len(ids) - order + 1) + more)) / len(ORDERS)
        return math.exp(logs + min(0.0, 1 - self.closest(picture, ids) / len(ids)))


def shares(counts: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """First-order change of a corpus's log BLEU-4, times its size, by each sentence: counts (N, 10), usual (10,).

    log BLEU = 1/4 Σ log(H_n / T_n) + min(0, 1 - R / C); so one sentence weighs 1/4 Σ (h_n / H_n - t_n / T_n) and, while
    the corpus is too short, R / C (c / C - r / R), capitals being the usual counts of a sentence.
    """
    relative = counts / np.maximum(usual, 0.01)
    share: np.ndarray = (relative[:, :4] - relative[:, 4:8]).mean(1)
    length, closest = usual[8], usual[9]
    if length < closest:
        share = share + closest / length * (relative[:, 8] - relative[:, 9])
    return share


def _most(captions: Sequence[Sequence[int]], order: int) -> Counter[Gram]:
    """The largest count of each n-gram in any one caption, to clip by."""
    most: Counter[Gram] = Counter()
    for ids in captions:
        most |= grams(ids, order)
    return most


class Drawn(NamedTuple):
    """Captions drawn from a net and what their gradient needs; axes (B, K, T) first, `real` up to and with EOS."""

    tokens: Tensor
    real: Tensor
    hiddens: Tensor
    embedded: Tensor
    contexts: Tensor
    weights: Tensor
    looked: Tensor  # -log of the probability of the places drawn, where attention is hard; else zero


def draw(net: Captioner, annotations: Tensor, rows: int, longest: int) -> Drawn:
    """Draw `rows` captions a picture from the net's own distribution; annotations (B, S, F)."""
    memory, keys, first, cell = net.begin(annotations)
    hidden, cell = (one[:, None].expand(-1, rows, -1) for one in (first, cell))
    mask = torch.ones(memory.shape[:2], dtype=torch.bool)
    token = torch.full(hidden.shape[:2], BOS)
    going = torch.ones_like(token, dtype=torch.bool)
    kept: list[tuple[Tensor, ...]] = []
    places = Places() if net.hard else None
    while len(kept) < longest and going.any():
        embedded = net.embedding(token)
        word = net.input_word(embedded)
        hidden, cell, context, weights, _ = net.advance(word, hidden, cell, memory, keys, mask, places)
        with torch.no_grad():
            token = pick(scores(net, hidden, embedded, context).softmax(-1))
        looked = places.surprises[-1] if places else torch.zeros(token.shape)
        kept.append((token, going, hidden, embedded, context, weights, looked))
        going = going & (token != EOS)
    return Drawn(*(torch.stack(parts, 2) for parts in zip(*kept, strict=True)))


def scores(net: Captioner, hidden: Tensor, embedded: Tensor, context: Tensor) -> Tensor:
    """Logits (…, V) of the next word, none for pieces that are never drawn."""
    silent = torch.zeros(net.embedding.num_embeddings, dtype=torch.bool)
    silent[[PAD, UNK, BOS]] = True
    return net.output(hidden, embedded, context).masked_fill(silent, -torch.inf)


def surprises(net: Captioner, drawn: Drawn) -> Tensor:
    """-log p (W,) of every word drawn, and of where it looked; the net must be as it was when it drew."""
    real = drawn.real
    logits = scores(net, drawn.hiddens[real], drawn.embedded[real], drawn.contexts[real])
    return nn.functional.cross_entropy(logits, drawn.tokens[real], reduction="none") + drawn.looked[real]


def self_critical(
    net: Captioner, annotations: Tensor, pictures: np.ndarray, rewards: Rewards, longest: int, stochastic: float
) -> tuple[Tensor, int, float]:
    """Loss of five draws a picture, number of words drawn, mean reward.

    No dropout: the draws are the policy's own. annotations (B, S, F) of the rows `pictures` (B,) of the training split.
    """
    net.eval()
    drawn = draw(net, annotations, 5, longest)
    surprise = surprises(net, drawn)
    net.train()
    draws = [
        ids[:length]
        for rows, lengths in zip(drawn.tokens.tolist(), drawn.real.sum(-1).tolist(), strict=True)
        for ids, length in zip(rows, lengths, strict=True)
    ]
    rows_each = drawn.tokens.shape[1]
    earned = torch.from_numpy(rewards.of(np.repeat(pictures, rows_each).tolist(), draws)).float().view(-1, rows_each)
    others = (earned.sum(1, keepdim=True) - earned) / (earned.shape[1] - 1)
    real = drawn.real
    advantage = (earned - others)[..., None].expand(real.shape)[real]
    loss = (advantage * surprise).mean() + stochastic * doubly_stochastic(drawn.weights, real)
    return loss, len(surprise), float(earned.mean())
