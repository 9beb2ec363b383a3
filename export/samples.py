"""Real inputs for calibration, parity and scores, from the data sets that a recipe names.

Knows nothing of graphs.
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bundle.image import read
from bundle.text import EOS, Vocabulary
from models.data import MANNERS
from models.tasks.captioning import split
from models.tasks.translation import corpus, dev, languages, tag

Inputs = dict[str, np.ndarray]  # one input of an encode graph, without the axis B


def source(vocabulary: Vocabulary, text: str, before: Sequence[int] = ()) -> Inputs:
    """A text as the encode graph takes it: what asks for a language, if anything must; ids; and EOS."""
    return {"source": np.array([*before, *vocabulary.ids(text), EOS], np.int64)}


def translation(recipe: dict[str, Any], vocabulary: Vocabulary, data: Path, number: int) -> list[Inputs]:
    """The first sentences of a translation recipe's development sets, as many of each."""
    part = recipe["data"]
    sets = dev(part, data, data).values()
    each = -(-number // len(sets))
    return [
        source(vocabulary, pair.source, tag(vocabulary, part, target))
        for pairs, target in sets
        for pair in pairs[:each]
    ]


def said(recipe: dict[str, Any], vocabulary: Vocabulary, data: Path) -> np.ndarray:
    """Ids of the pieces in a translation recipe's targets, worn ones too, of special ones and of single characters."""
    part = recipe["data"]
    entries = [entry for entry in part["train"] if "distilled" not in entry]
    pairs = [pair for entry in entries for pair in corpus(entry, data, data, languages(entry, part))]
    worn = [wear for _, wear in MANNERS] if part.get("worn") else []
    targets = {target for pair in pairs for target in (pair.target, *(wear(pair).target for wear in worn))}
    found = {piece for target in targets for piece in vocabulary.ids(target)}
    short = {i for i in range(len(vocabulary)) if i <= EOS or len(vocabulary.text([i])) <= 1}
    return np.array(sorted(found | short), np.int64)


def pictures(archive: Path, names: list[str]) -> list[Inputs]:
    """Members of a tar file as the encode graph takes them."""
    with tarfile.open(archive) as tar:
        files = [tar.extractfile(name) for name in names]
        return [{"pixels": read(file.read()).pixels} for file in files if file is not None]


def captioning(recipe: dict[str, Any], _: Vocabulary, data: Path, number: int) -> list[Inputs]:
    """The first pictures of a captioning recipe's development set."""
    folder = data / recipe["data"]["folder"]
    return pictures(folder / "images.tar", split(folder, "dev")[0][:number])
