"""Numbers that survive a translation: those that the reference has too count, and nothing else."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.markup.numbers import Pair, chosen, counted


def test_only_numbers_that_the_reference_has_too_are_asked_for() -> None:
    pairs = [Pair("In 1999 came 3 men.", "1999 kamen drei Männer."), Pair("At 12:30, 7.", "Um 12:30 7.")]
    assert counted(pairs, ["1999 kamen 3.", "Um 12 7."]) == (2, 3)


def test_a_number_in_a_longer_one_does_not_count() -> None:
    assert counted([Pair("99 men", "99 Männer")], ["1999 Männer"]) == (0, 1)


def test_texts_without_numbers_and_long_ones_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "en").write_text("no number\n1 dog\na long text with 2\n3 men\n4 men\n")
    (tmp_path / "de").write_text("keine\n1 Hund\n2\n3 Leute\n4 Leute\n")
    given = argparse.Namespace(texts=tmp_path / "en", references=tmp_path / "de", characters=10, most=2)
    assert chosen(given) == [("1 dog", "1 Hund"), ("3 men", "3 Leute")]
    (tmp_path / "de").write_text("keine\n")
    with pytest.raises(ValueError, match="shorter"):
        chosen(given)


def test_a_server_is_asked_with_and_without_copying(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "en").write_text("busy bees 42\n")
    (tmp_path / "de").write_text("busy bees 42\n")
    files = ["--texts", str(tmp_path / "en"), "--references", str(tmp_path / "de")]
    assert main(["numbers", str(toys / "toy-echo"), *files, "--source", "en", "--target", "de"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["numbers"], last["texts"], last["auto"]) == (1, 1, 1)
