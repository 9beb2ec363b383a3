"""Corpora on disk and the batches cut from them."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest

from models.data import aligned, bucketed, held_back, padded, tabbed


def pack(path: Path, text: str) -> None:
    path.write_bytes(lzma.compress(text.encode()))


def test_lines_are_split_on_lf_alone_so_that_sides_stay_aligned(tmp_path: Path) -> None:
    pack(tmp_path / "x.en.xz", "one\u2028still one\ntwo \n")
    pack(tmp_path / "x.de.xz", "eins\nzwei\n")
    assert aligned(tmp_path / "x", "en", "de") == [("one\u2028still one", "eins"), ("two", "zwei")]


def test_sides_of_unequal_length_are_an_error(tmp_path: Path) -> None:
    pack(tmp_path / "x.en.xz", "one\n")
    pack(tmp_path / "x.de.xz", "eins\nzwei\n")
    with pytest.raises(ValueError, match="1 lines of en, 2 of de"):
        aligned(tmp_path / "x", "en", "de")


def test_one_english_sentence_is_never_in_training_and_in_test(tmp_path: Path) -> None:
    rows = [f"sentence {i}\tSatz {i} {j}" for i in range(500) for j in range(3)]
    pack(tmp_path / "t.tsv.xz", "\n".join(rows) + "\n")
    train, test = (tabbed(tmp_path / "t.tsv.xz", test=which) for which in (False, True))
    assert len(train) + len(test) == 1500 and len(test) > 0 and len(test) % 3 == 0
    assert not {pair.source for pair in train} & {pair.source for pair in test}
    assert all(held_back(pair.source) for pair in test)
    assert tabbed(tmp_path / "t.tsv.xz", english_is_source=False)[0].source.startswith("Satz")


def test_batches_hold_every_example_once_within_the_cells() -> None:
    random = np.random.default_rng(1)
    lengths = random.integers(1, 30, (300, 2))
    batches = list(bucketed(lengths, 200, random))
    assert sorted(int(i) for batch in batches for i in batch) == list(range(300))
    assert all(len(batch) == 1 or len(batch) * lengths[batch].max() <= 200 for batch in batches)
    spread = np.mean([np.ptp(lengths[batch][:, 1]) for batch in batches])
    assert spread < 3, "examples of like length share a batch"


def test_padding_is_on_the_right() -> None:
    assert padded([[5], [6, 7]]).tolist() == [[5, 0], [6, 7]]
