"""Scores of a training run in torch, greedily decoded: python -m models.evaluate RUN --data DIR [--split NAME …].

Knows nothing of bundles: the figures of a bundle are measured through the engine, by `python -m export score`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bundle.text import Vocabulary
from models.data import aligned
from models.features import features
from models.metrics import caption_scores, translation_scores
from models.nets.captioner import Captioner
from models.tasks.captioning import greedy, split
from models.tasks.translation import languages, tag, translate, translator

Figures = dict[str, float]


def translation(recipe: dict[str, Any], weights: dict[str, Any], run: Path, data: Path, name: str) -> Figures:
    """sacreBLEU, tokenised lower-cased BLEU and chrF on a split of a parallel corpus, such as test_2016_flickr.

    The corpus is the first one of the recipe's that is aligned line by line. A net of several pairs is scored on each
    that the split has; the pair is told with the metric.

    Raises:
        FileNotFoundError: the split has no pair of the recipe's.
    """
    vocabulary, part = Vocabulary(run / "vocabulary.model"), recipe["data"]
    net = translator(len(vocabulary), recipe["net"]).eval()
    net.load_state_dict(weights)
    alone = isinstance(part["dev"], str)
    corpus = part["dev"] if alone else next(one["aligned"] for one in part["train"] if "aligned" in one)
    split_ = (data / corpus).with_name(name)
    each = dict.fromkeys(languages(entry, part) for entry in ([part] if alone else part["dev"]))
    there = [pair for pair in each if all(split_.with_name(f"{name}.{code}.xz").exists() for code in pair)]
    if not there:
        raise FileNotFoundError(f"{split_} has none of {', '.join('-'.join(pair) for pair in each)}")
    figures: Figures = {}
    for one, other in there:
        pairs = aligned(split_, one, other)
        texts = translate(net, vocabulary, [pair.source for pair in pairs], before=tag(vocabulary, part, other))
        scores = translation_scores(texts, [pair.target for pair in pairs], other)
        figures |= scores if len(each) == 1 else {f"{one}-{other} {metric}": value for metric, value in scores.items()}
    return figures


def captioning(recipe: dict[str, Any], weights: dict[str, Any], run: Path, data: Path, name: str) -> Figures:
    """BLEU-1 to 4, CIDEr, ROUGE-L and METEOR on a split of Flickr8k: dev or test."""
    vocabulary, folder = Vocabulary(run / "vocabulary.model"), data / recipe["data"]["folder"]
    net = Captioner(len(vocabulary), **recipe["net"]).eval()
    net.load_state_dict(weights)
    pictures, references = split(folder, name)
    cache = run / recipe["data"].get("features", "features") / f"{net.trunk_name}-14x14x1280.{name}.f16.npy"
    annotations = features(cache, folder / "images.tar", pictures, net.trunk_name)
    return caption_scores([vocabulary.text(ids) for ids in greedy(net, annotations)], references)


TASKS: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any], Path, Path, str], Figures], str]] = {
    "translation": (translation, "test_2016_flickr"),
    "captioning": (captioning, "test"),
}


def evaluate(run: Path, data: Path, name: str | None = None) -> dict[str, float | str]:
    """Figures of the best checkpoint of a run on a split, and its name; without one, the task's test split."""
    kept = torch.load(run / "best.pt", weights_only=True)
    measure, usual = TASKS[kept["recipe"]["task"]]
    return {"split": name or usual, **measure(kept["recipe"], kept["net"], run, data, name or usual)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description="Score a training run in torch.")
    parser.add_argument("run", type=Path, help="the folder given to `python -m models.train --out`")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", nargs="*", default=[None], help="names of splits; by default the task's test split")
    given = parser.parse_args()
    for name in given.split:
        print(json.dumps(evaluate(given.run, given.data, name), ensure_ascii=False))


if __name__ == "__main__":
    main()
