"""Learning to caption Flickr8k: cached annotations in, five captions a picture, BLEU-4 of a greedy decode on dev.

Knows nothing of optimisers or checkpoints. The `data` part of a recipe:

    "folder": "captioning/flickr8k", "vocabulary": 2600, "pictures": 20 (a batch), "longest": 22 (words),
    "stochastic": 1.0 (the λ of Xu et al. 2015, eq. 14), "features": folder of the cache, under OUT,
    "pool": 2 (train on averages of 2 x 2 places: four times cheaper, a good start for the full grid; 1 for none)
    "hard": {"reinforce": 0.1, "entropy": 0.002, "expected": 0.5} (of a net with hard attention: see `models/hard.py`)
    "reward": {"epoch": 5, "bleu": 2.0} (optional: from this epoch on, 0 for all, learn from `models/scst.py`;
        "corpus": 1.0 in it adds a draw's share of the corpus's BLEU, which keeps captions from getting short)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sacrebleu
import torch
from torch import Tensor

from bundle.text import BOS, EOS, PAD, UNK, Vocabulary, train_vocabulary
from models.data import padded
from models.features import features
from models.hard import Bound
from models.loss import smoothed_cross_entropy
from models.nets.captioner import Captioner, doubly_stochastic
from models.scst import Rewards, self_critical

SPLITS = {"train": "trainImages", "dev": "devImages", "test": "testImages"}


class Batch(NamedTuple):
    """Some pictures, all of one epoch."""

    annotations: Tensor  # (B, S, F)
    captions: Tensor  # (B, 5, T) with EOS and PAD
    pictures: np.ndarray  # (B,) rows of the training split
    critical: bool  # whether the epoch rewards draws


def words(caption: str) -> str:
    """A caption as it is learned and scored: lower-cased words, no punctuation."""
    return " ".join(re.findall(r"[a-z0-9']+", caption.lower()))


def split(folder: Path, name: str) -> tuple[list[str], list[list[str]]]:
    """Picture names of an official split and, for each, its five captions (as `words`)."""
    pictures = (folder / f"Flickr_8k.{SPLITS[name]}.txt").read_text().split()
    captions: dict[str, list[str]] = {picture: [] for picture in pictures}
    for line in (folder / "Flickr8k.token.txt").read_text("utf-8").splitlines():
        key, caption = line.split("\t")
        if (picture := key.rsplit("#", 1)[0]) in captions:
            captions[picture].append(words(caption))
    return pictures, [captions[picture] for picture in pictures]


class Captioning:
    """See `models.tasks.Task`. The vocabulary is one piece a word, kept as OUT/vocabulary.model."""

    def __init__(self, recipe: dict[str, Any], data: Path, out: Path) -> None:
        self.part = recipe["data"]
        folder = data / self.part["folder"]
        trunk, cache = recipe["net"].get("trunk", "lite0"), out / self.part.get("features", "features")
        pictures, captions = split(folder, "train")
        path = out / "vocabulary.model"
        if not path.exists():
            lines = [caption for five in captions for caption in five]
            train_vocabulary(lines, path.with_suffix(""), self.part["vocabulary"], kind="word")
        self.vocabulary = Vocabulary(path)
        archive, prefix = folder / "images.tar", f"{trunk}-14x14x1280"
        self.plain = features(cache / f"{prefix}.train.f16.npy", archive, pictures, trunk)
        self.flipped = features(cache / f"{prefix}.train.flip.f16.npy", archive, pictures, trunk, flipped=True)
        longest = self.part["longest"]
        self.captions = [[[*self.vocabulary.ids(one)[:longest], EOS] for one in five] for five in captions]
        self.critical = self.part.get("reward", {"epoch": math.inf, "bleu": 0.0})
        weights = self.critical["bleu"], self.critical.get("corpus", 0.0)
        self.rewards = Rewards(self.captions, *weights) if "reward" in self.part else None
        dev, self.references = split(folder, "dev")
        self.dev = features(cache / f"{prefix}.dev.f16.npy", archive, dev, trunk)
        self.earned = 0.0  # moving average of the rewards of draws
        self.net = Captioner(len(self.vocabulary), **recipe["net"])
        self.bound = Bound(**self.part.get("hard", {}))

    def batches(self, epoch: int, random: np.random.Generator) -> Iterator[Batch]:
        """Pictures of like caption length together; each mirrored in half of the epochs."""
        longest = np.array([max(map(len, five)) for five in self.captions])
        order = np.lexsort((random.random(len(longest)), longest))
        size = self.part["pictures"]
        chunks = [order[i : i + size] for i in range(0, len(order), size)]
        for i in random.permutation(len(chunks)):
            rows = np.sort(chunks[i])
            source = self.flipped if random.random() < 0.5 else self.plain
            captions = padded([one for row in rows for one in self.captions[row]])
            yield Batch(
                pooled(torch.from_numpy(source[rows].astype(np.float32)), self.part.get("pool", 1)),
                torch.from_numpy(captions.reshape(len(rows), 5, -1)),
                rows,
                epoch >= self.critical["epoch"],
            )

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        """Cross-entropy in the first epochs, reward in the later ones."""
        return self._earn(batch) if batch.critical else self._imitate(batch)

    def _imitate(self, batch: Batch) -> tuple[Tensor, int]:
        """Mean smoothed cross-entropy a known word, plus λ times the doubly stochastic penalty."""
        target = batch.captions
        given = torch.cat([torch.full_like(target[..., :1], BOS), target[..., :-1]], -1)
        real = target != PAD
        known = real & (target != UNK)
        smoothing = self.part.get("smoothing", 0.1)
        if self.net.hard:
            return self.bound.loss(self.net, batch.annotations, given, target, known, smoothing), int(known.sum())
        hiddens, embedded, contexts, weights = self.net.unroll(batch.annotations, given)
        logits = self.net.output(hiddens[known], embedded[known], contexts[known])
        losses = smoothed_cross_entropy(logits, target[known], smoothing)
        return losses.mean() + self.part["stochastic"] * doubly_stochastic(weights, real), len(losses)

    def _earn(self, batch: Batch) -> tuple[Tensor, int]:
        """The self-critical loss of `models/scst.py`; keeps a moving average of the rewards."""
        if self.rewards is None:
            raise ValueError("the recipe's data part has no reward")
        longest, stochastic = self.part["longest"] + 1, self.part["stochastic"]
        loss, positions, earned = self_critical(
            self.net, batch.annotations, batch.pictures, self.rewards, longest, stochastic
        )
        self.earned = 0.98 * self.earned + 0.02 * earned if self.earned else earned
        return loss, positions

    def score(self) -> dict[str, float]:
        """BLEU-4 (five references) of the greedy captions of the development set."""
        said = [self.vocabulary.text(ids) for ids in greedy(self.net, self.dev, self.part.get("pool", 1))]
        references = [list(column) for column in zip(*self.references, strict=True)]
        bleu = sacrebleu.corpus_bleu(said, references, tokenize="none", force=True)
        figures = {"score": round(bleu.score, 2), "bleu1": round(bleu.precisions[0] * bleu.bp, 1)}
        return {**figures, "earned": round(self.earned, 3)} if self.earned else figures


def pooled(annotations: Tensor, pool: int) -> Tensor:
    """Averages of pool x pool neighbouring places of a square grid: (B, S, F) -> (B, S / pool², F)."""
    if pool == 1:
        return annotations
    side = round(annotations.shape[1] ** 0.5)
    grid = annotations.unflatten(1, (side // pool, pool, side // pool, pool))
    return grid.mean((2, 4)).flatten(1, 2)


@torch.no_grad()
def greedy(
    net: Captioner, annotations: np.ndarray, pool: int = 1, batch: int = 50, longest: int = 24
) -> list[list[int]]:
    """The best word at each step: annotations (N, S, F) -> ids without EOS; for scoring while training."""
    out: list[list[int]] = []
    for start in range(0, len(annotations), batch):
        some = pooled(torch.from_numpy(annotations[start : start + batch].astype(np.float32)), pool)
        memory, keys, hidden, cell = net.begin(some)
        hidden, cell = hidden[:, None], cell[:, None]
        mask = torch.ones(memory.shape[:2], dtype=torch.bool)
        token, steps = torch.full((len(some), 1), BOS), []
        for _ in range(longest):
            logits, hidden, cell, _, _ = net.step(token, hidden, cell, memory, keys, mask)
            logits[..., [PAD, UNK, BOS]] = -torch.inf
            token = logits.argmax(-1)
            steps.append(token)
        out += [row[: row.index(EOS)] if EOS in row else row for row in torch.cat(steps, 1).tolist()]
    return out
