"""BLEU by length: texts of one bin are scored together, and a bin of few is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.lengths import FEWEST, curve, draw, joined
from models.data import Pair


def test_neighbours_become_one_text_and_a_rest_is_left_out() -> None:
    pairs = [Pair(f"a{i}.", f"b{i}.") for i in range(5)]
    assert joined(pairs, 2) == [("a0. a1.", "b0. b1."), ("a2. a3.", "b2. b3.")]
    assert joined(pairs, 1) == pairs


def test_each_bin_has_its_own_score() -> None:
    short = [Pair("one two three four five", "eins zwei drei vier fünf")] * FEWEST
    long = [Pair(" ".join(["word"] * 20), "wort " * 19 + "wort")] * FEWEST
    few = [Pair(" ".join(["word"] * 50), "viele")] * (FEWEST - 1)
    pairs = [*short, *long, *few]
    said = [pair.target for pair in short] + ["etwas ganz anderes steht hier"] * len(long) + ["viele"] * len(few)
    (words, right), (more, wrong) = curve(said, pairs)
    assert (words, more) == (5, 20) and right == pytest.approx(100) and wrong < 1


def test_curves_are_drawn(tmp_path: Path) -> None:
    draw({"with": [(5, 30.0), (20, 29.0)], "without": [(5, 28.0), (20, 9.0)]}, tmp_path / "lengths.svg")
    drawn = (tmp_path / "lengths.svg").read_text()
    assert ">with<" in drawn and ">without<" in drawn and "BLEU" in drawn
    draw({"with": [(5, 30.0), (20, 29.0)]}, tmp_path / "fewer.svg")
    assert ">without<" not in (tmp_path / "fewer.svg").read_text()
