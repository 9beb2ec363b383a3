"""Texts are read as they stand."""

from __future__ import annotations

import lzma
from pathlib import Path

from bench.texts import read


def test_texts_are_read_a_line_each_packed_or_not(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\n two \n")
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"one\ntwo\n"))
    assert read(tmp_path / "a.txt") == read(tmp_path / "a.xz") == ["one", "two"]


def test_files_follow_each_other_and_what_is_behind_a_tab_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("one\teins\ntwo\tzwei\n\tdrei\n")
    (tmp_path / "b.txt").write_text("four\n")
    assert read(tmp_path / "a.tsv", tmp_path / "b.txt") == ["one", "two", "four"]
