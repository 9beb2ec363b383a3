"""Corpora on disk and the batches cut from them."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest

from models.data import Pair, aligned, bucketed, held_back, padded, signs, tabbed, worn


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
    rows = [f"sentence {i}\tSatz {i} {j}" for i in range(2000) for j in range(3)]
    pack(tmp_path / "t.tsv.xz", "\n".join(rows) + "\n")
    train, dev, test = (tabbed(tmp_path / "t.tsv.xz", part=which) for which in ("train", "dev", "test"))
    assert len(train) + len(dev) + len(test) == 6000 and len(dev) > 0 and len(test) > len(dev) and len(test) % 3 == 0
    english = [{pair.source for pair in part} for part in (train, dev, test)]
    assert not english[0] & english[1] and not english[0] & english[2] and not english[1] & english[2]
    assert all(held_back(pair.source) for pair in test)
    assert tabbed(tmp_path / "t.tsv.xz", english_is_source=False)[0].source.startswith("Satz")


def test_the_first_so_many_that_are_held_back_are_of_any_length(tmp_path: Path) -> None:
    rows = [f"{'so ' * (i // 40)}long {i}\tx" for i in range(4000)]
    pack(tmp_path / "t.tsv.xz", "\n".join(rows) + "\n")
    test = tabbed(tmp_path / "t.tsv.xz", part="test")
    lengths = [pair.source.count("so") for pair in test]
    assert abs(np.mean(lengths[: len(lengths) // 2]) - np.mean(lengths)) < 10
    assert test == tabbed(tmp_path / "t.tsv.xz", part="test")


def test_hurried_copies_are_capitals_small_letters_or_without_a_stop() -> None:
    pairs = [Pair("Do it now.", "Tu es jetzt.")] * 400
    copies = worn(pairs, 0.5, np.random.default_rng(1))
    assert set(copies) == {("Do it now", "Tu es jetzt"), ("do it now", "Tu es jetzt."), ("DO IT NOW.", "TU ES JETZT.")}
    assert 160 < len(copies) < 240


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


def test_signs_get_other_words_and_the_same_on_both_sides() -> None:
    pairs = [Pair('A sign says "Open" there.', "Dort steht „Offen“."), Pair("no quotes", "keine"), Pair('one "a"', "b")]
    made = signs(pairs, 60, np.random.default_rng(1))
    assert len(made) == 60
    said = {(pair.source.split('"')[1], pair.target.split("„")[1].split("“")[0]) for pair in made}
    assert all(source == target for source, target in said) and len(said) > 10
    assert {len(source.split()) for source, _ in said} == {1, 2, 3}
    assert any(source.isupper() for source, _ in said) and any(source.islower() for source, _ in said)
    assert all(pair.source.startswith("A sign says") and pair.target.endswith("“.") for pair in made)


def test_no_signs_are_made_of_text_without_quotes() -> None:
    assert signs([Pair("a dog", "ein Hund")], 5, np.random.default_rng(1)) == []
