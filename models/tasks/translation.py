"""Learning to translate: parallel text in, smoothed cross-entropy, BLEU of a greedy decode of the development set.

Knows nothing of optimisers or checkpoints. The `data` part of a recipe:

    "source": "en", "target": "de", "vocabulary": 8000, "dropout": 0.1 (BPE-dropout of the source), "cells": 1100,
    "train": [{"aligned": "translation/multi30k/train"}, {"tabbed": "translation/tatoeba/….tsv.xz", "sample": 20000}],
    "dev": "translation/multi30k/val"

An entry may have a "source" and "target" of its own; with several pairs, "tags": {"de": "<2de>", …} puts a piece that
asks for the target's language before each source (Johnson et al. 2017), and "dev" is a list of entries, of which a
"first" so many count. "worn": 0.1 adds copies of so many pairs as hurried people write them; "signs": 1500 adds so many
copies of the first entry's pairs that quote something, with other words in the quotes; "negatives": 1000 scores
so many pieces beside a batch's own instead of the whole vocabulary (`models/sampled.py`).

A train entry {"distilled": FILE} is read from the run's folder, where `python -m export distil` or `back` wrote it.
"risk": {"file": FILE of `python -m export distil`, "weight": 1.0, "sharpness": 10.0, "of_each": 10, "cells": 2000} adds
to each batch some of the sources there with their candidates, and what they cost (`models/risk.py`). A train entry
{"candidates": FILE} pairs each of these sources with the one that costs least ("of_each": 10).
One of {"grammar": NUMBER, "seed": SEED} is made up by `models/grammar/`; with "guide": 0.1 in `data`, rows learn to
look where it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sacrebleu
import torch
from torch import Tensor

from bundle.text import BOS, EOS, PAD, UNK, Vocabulary, train_vocabulary
from models.data import LONGEST, Pair, aligned, bucketed, lines, padded, signs, tabbed, worn
from models.grammar import Aligned, sentences
from models.guided import cost, rows, stacked
from models.loss import smoothed_cross_entropy
from models.nets.luong import LuongTranslator
from models.nets.transformer import TransformerTranslator
from models.nets.translator import RecurrentTranslator
from models.risk import Risk, Rivals, best, expected_cost, read
from models.sampled import draw

Translator = RecurrentTranslator | TransformerTranslator
KINDS: dict[str, type[Translator]] = {
    "recurrent": RecurrentTranslator,
    "luong": LuongTranslator,
    "transformer": TransformerTranslator,
}


class Batch(NamedTuple):
    """Some pairs: source (B, S) and target (B, T) with EOS at the end and PAD after it."""

    source: Tensor
    target: Tensor
    wanted: Tensor | None = None  # (B, T, S) where rows should look, zero where nobody knows
    rivals: Rivals | None = None  # other sources, with several answers to choose from


class Corpus:
    """One source of training pairs, cut into pieces once; `sample` of them are drawn anew each epoch, or all."""

    def __init__(
        self,
        pairs: list[Pair],
        vocabulary: Vocabulary,
        sample: int | None,
        alignments: Sequence[Aligned] = (),
        tag: Sequence[int] = (),
    ) -> None:
        kept = [(pair, vocabulary.ids(pair.source), vocabulary.ids(pair.target)) for pair in pairs]
        kept = [row for row in kept if max(len(row[1]), len(row[2])) < LONGEST]
        self.texts = [pair.source for pair, _, _ in kept]
        self.tag = tag
        self.sources = [[*tag, *ids, EOS] for _, ids, _ in kept]
        self.targets = [[*ids, EOS] for _, _, ids in kept]
        self.sample = sample
        known = {pair.texts(): pair for pair in alignments}
        self.rows = [rows(known[pair], vocabulary) if pair in known else None for pair, _, _ in kept]

    def drawn(self, random: np.random.Generator) -> np.ndarray:
        """Indices of this epoch's examples."""
        if self.sample is None or self.sample >= len(self.texts):
            return np.arange(len(self.texts))
        return random.choice(len(self.texts), self.sample, replace=False)


class Translation:
    """See `models.tasks.Task`. The vocabulary is trained at the first run and kept as OUT/vocabulary.model."""

    def __init__(self, recipe: dict[str, Any], data: Path, out: Path) -> None:
        part = recipe["data"]
        self.part = part
        pairs = [corpus(source, data, out, languages(source, part)) for source in part["train"]]
        if share := part.get("worn"):
            hurried = np.random.default_rng(recipe["train"].get("seed", 1))
            pairs = [[*some, *worn(some, share, hurried)] for some in pairs]
        if number := part.get("signs"):
            pairs[0] = [*pairs[0], *signs(pairs[0], number, np.random.default_rng(recipe["train"].get("seed", 1)))]
        path = out / "vocabulary.model"
        if not path.exists():
            train_vocabulary(
                [line for some in pairs for pair in some for line in pair],
                path.with_suffix(""),
                part["vocabulary"],
                marks=sorted(part.get("tags", {}).values()),
            )
        self.vocabulary = Vocabulary(path)
        self.corpora = [
            Corpus(some, self.vocabulary, entry.get("sample"), grammar(entry, languages(entry, part)), self._tag(entry))
            for some, entry in zip(pairs, part["train"], strict=True)
        ]
        self.dev = dev(part, data, out)
        self.net = translator(len(self.vocabulary), recipe["net"])
        self.risk = self._risk(out)
        self.smoothing, self.guide = part.get("smoothing", 0.1), part.get("guide", 0.0)

    def batches(self, epoch: int, random: np.random.Generator) -> Iterator[Batch]:
        """Batches of pairs of like length."""
        sources, targets, known = [], [], []
        for corpus in self.corpora:
            for i in corpus.drawn(random):
                sources.append(self._source(corpus, int(i), random))
                targets.append(corpus.targets[i])
                known.append(corpus.rows[i])
        lengths = np.array([(len(s), len(t)) for s, t in zip(sources, targets, strict=True)])
        rivals = self.risk.batches(self.part["risk"].get("cells", 2000), random) if self.risk else iter(())
        for places in bucketed(lengths, self.part["cells"], random):
            source, target = (torch.from_numpy(padded([of[i] for i in places])) for of in (sources, targets))
            shape = (*target.shape, source.shape[1])
            wanted = stacked([known[i] for i in places], shape) if self.guide else None
            yield Batch(source, target, wanted, next(rivals, None))

    def _source(self, corpus: Corpus, i: int, random: np.random.Generator) -> list[int]:
        """The source's ids; with BPE-dropout on, half of the sentences are cut at random."""
        dropout = self.part.get("dropout", 0.0)
        if not dropout or corpus.rows[i] is not None or random.random() < 0.5:
            return corpus.sources[i]
        return [*corpus.tag, *self.vocabulary.sampled(corpus.texts[i], dropout), EOS][:LONGEST]

    def _tag(self, entry: dict[str, Any]) -> list[int]:
        """What stands before the sources of an entry."""
        return tag(self.vocabulary, self.part, languages(entry, self.part)[1])

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        """What the pairs cost, and what the net's own answers do where the recipe asks for it."""
        loss, positions = self._likelihood(batch)
        if batch.rivals is None:
            return loss, positions
        part = self.part["risk"]
        risk = expected_cost(self.net, batch.rivals, part.get("sharpness", 10.0))
        return loss + part.get("weight", 1.0) * risk, positions

    def _likelihood(self, batch: Batch) -> tuple[Tensor, int]:
        """Mean label-smoothed cross-entropy over the real target positions, and the cost of looking elsewhere."""
        source, target, wanted, _ = batch
        given = torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], 1)
        real = target != PAD
        wanted = wanted if wanted is not None and wanted.any() else None
        with self._sampled(target[real]) as places:
            if wanted is None:
                losses = smoothed_cross_entropy(self.net.logits_at(source, given, real), places, self.smoothing)
                return losses.mean(), len(losses)
            logits, weights = self.net.logits_and_rows(source, given, real)
        losses = smoothed_cross_entropy(logits, places, self.smoothing)
        return losses.mean() + self.guide * cost(weights, wanted), len(losses)

    def _risk(self, out: Path) -> Risk | None:
        """The candidates that the recipe names, if it does."""
        if "risk" not in self.part:
            return None
        known, before = read(out / self.part["risk"]["file"]), tag(self.vocabulary, self.part, self.part["target"])
        return Risk(known, self.vocabulary, self.part["risk"].get("of_each", 10), before)

    @contextmanager
    def _sampled(self, target: Tensor) -> Iterator[Tensor]:
        """Meanwhile the net scores a sample of the vocabulary, if the recipe says so; gives the targets' places."""
        negatives = self.part.get("negatives")
        if negatives is None:
            yield target
            return
        self.net.sample, places = draw(target, len(self.vocabulary), negatives)
        try:
            yield places
        finally:
            self.net.sample = None

    def score(self) -> dict[str, float]:
        """sacreBLEU (cased, 13a) of the greedy decode of the development sets: each, and their mean."""
        figures = {}
        for name, (pairs, target) in self.dev.items():
            sources = [pair.source for pair in pairs]
            texts = translate(self.net, self.vocabulary, sources, before=tag(self.vocabulary, self.part, target))
            figures[name] = round(sacrebleu.corpus_bleu(texts, [[pair.target for pair in pairs]]).score, 2)
        mean = round(sum(figures.values()) / len(figures), 2)
        return {"score": mean, **(figures if len(figures) > 1 else {})}


def translator(vocabulary: int, part: dict[str, Any]) -> Translator:
    """The net that the `net` part of a recipe describes: its `kind`, or a recurrent one, with the other keys.

    Raises:
        ValueError: there is no such kind.
    """
    kind, arguments = part.get("kind", "recurrent"), {key: value for key, value in part.items() if key != "kind"}
    if kind not in KINDS:
        raise ValueError(f"no net of the kind {kind!r}: there are {', '.join(KINDS)}")
    return KINDS[kind](vocabulary, **arguments)


def languages(entry: dict[str, Any], part: dict[str, Any]) -> tuple[str, str]:
    """Source and target of an entry: its own, or those of the whole `data` part."""
    return entry.get("source") or part["source"], entry.get("target") or part["target"]


def tag(vocabulary: Vocabulary, part: dict[str, Any], target: str) -> list[int]:
    """The ids that ask for a language, where the recipe has tags: one, or none."""
    return [vocabulary.id(part["tags"][target])] if "tags" in part else []


def dev(part: dict[str, Any], data: Path, out: Path) -> dict[str, tuple[list[Pair], str]]:
    """The development sets by name, with the language of their targets; a recipe's may be one path, or entries."""
    entries = part["dev"] if isinstance(part["dev"], list) else [{"aligned": part["dev"]}]
    sets = {}
    for entry in entries:
        source, target = languages(entry, part)
        pairs = corpus({**entry, "part": "dev"}, data, out, (source, target))
        name = f"{Path(entry.get('aligned') or entry['tabbed']).name.split('.')[0]} {source}-{target}"
        sets[name] = (pairs[: entry.get("first", len(pairs))], target)
    return sets


def corpus(source: dict[str, Any], data: Path, out: Path, languages: tuple[str, str]) -> list[Pair]:
    """The pairs of one entry of the recipe's `train` list; distilled ones lie in the run's own folder."""
    if "grammar" in source:
        return [Pair(*pair.texts()) for pair in grammar(source, languages)]
    if "candidates" in source:
        return best(read(out / source["candidates"]), source.get("of_each", 10))
    if "distilled" in source:
        return [Pair(*line.split("\t")) for line in lines(out / source["distilled"])]
    if "aligned" in source:
        return aligned(data / source["aligned"], *languages)
    return tabbed(data / source["tabbed"], english_is_source=languages[0] == "en", part=source.get("part", "train"))


def grammar(source: dict[str, Any], languages: tuple[str, str]) -> list[Aligned]:
    """The pairs with known alignments of one entry; of most there are none."""
    return sentences(*languages, source["seed"], source["grammar"]) if "grammar" in source else []


@torch.no_grad()
def translate(
    net: Translator, vocabulary: Vocabulary, texts: list[str], batch: int = 64, before: Sequence[int] = ()
) -> list[str]:
    """Greedy translations, in batches of like length, `before` put first; for scoring while training."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = [""] * len(texts)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        source = torch.from_numpy(padded([[*before, *vocabulary.ids(texts[i]), EOS] for i in rows]))
        for i, ids in zip(rows, greedy(net, source), strict=True):
            out[i] = vocabulary.text(ids)
    return out


@torch.no_grad()
def greedy(net: Translator, source: Tensor) -> list[list[int]]:
    """The best piece at each step: source (B, S) -> ids without EOS, at most twice the source and ten."""
    place, token = net.begin(source), torch.full((len(source), 1), BOS)
    done, steps = torch.zeros(len(source), dtype=torch.bool), []
    for _ in range(2 * source.shape[1] + 10):
        logits, _, place = net.follow(token, place)
        logits[..., [PAD, UNK, BOS]] = -torch.inf
        token = logits.argmax(-1)
        steps.append(torch.where(done[:, None], EOS, token))
        done |= token[:, 0] == EOS
        if done.all():
            break
    return [row[: row.index(EOS)] if EOS in row else row for row in torch.cat(steps, 1).tolist()]
