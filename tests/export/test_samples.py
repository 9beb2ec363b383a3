"""What a net may say is what it was taught to say, in every way in which it was taught to say it."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np

from bundle.text import EOS, Vocabulary, train_vocabulary
from export.samples import said
from models.data import Pair, aligned, worn

LINES = ["The children play in the garden.", "A dog runs.", "Nobody knows that he is there."]


def test_what_copies_in_capitals_taught_can_be_said(tmp_path: Path) -> None:
    for language in ("en", "de"):
        (tmp_path / f"toy.{language}.xz").write_bytes(lzma.compress("\n".join([*LINES, ""]).encode()))
    pairs = aligned(tmp_path / "toy", "en", "de")
    copies = worn(pairs * 40, 1.0, np.random.default_rng(1))
    assert Pair(LINES[1].upper(), LINES[1].upper()) in copies
    train_vocabulary([line for pair in (*pairs * 40, *copies) for line in pair], tmp_path / "vocabulary", 160)
    vocabulary = Vocabulary(tmp_path / "vocabulary.model")
    part = {"source": "en", "target": "de", "worn": 0.06, "train": [{"aligned": "toy"}]}
    taught = {piece for pair in copies for piece in vocabulary.ids(pair.target)}
    assert taught <= set(said({"data": part}, vocabulary, tmp_path).tolist())
    plain = set(said({"data": {**part, "worn": 0.0}}, vocabulary, tmp_path).tolist())
    assert {piece for piece in taught - plain if len(vocabulary.text([piece])) > 1}  # or there would be nothing to see
    assert {*range(EOS + 1)} <= plain
