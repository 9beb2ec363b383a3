"""What a search finds for sources with a reference: all of it, once, from every bundle that is named."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from bundle.manifest import Bundle
from export.candidates import found, main
from models.data import Pair, lines
from service.engine.session import Session


def test_hypotheses_that_two_bundles_share_are_kept_once(echo: Session, toys: Path) -> None:
    bundle = Bundle(toys / "toy-echo")
    pairs = [Pair("the old house", "das alte haus"), Pair("a red ball", "ein roter ball")]
    once, twice = found([(echo, bundle)], pairs, 3), found([(echo, bundle)] * 2, pairs, 3)
    assert once == twice and all(len(set(texts)) == len(texts) > 1 for texts in once)
    assert [texts[0] for texts in once] == [pair.source for pair in pairs]


def test_a_recipe_gets_its_candidates_once(toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("en", "de"):
        (tmp_path / f"train.{language}.xz").write_bytes(lzma.compress(b"the old house\na red ball\n"))
    part = {"teacher": str(toys / "toy-echo"), "file": "../text/candidates.tsv.xz", "aligned": ["train"], "beam": 2}
    content = {"card": {}, "data": {"source": "en", "target": "de"}, "candidates": part}
    (tmp_path / "recipe.json").write_text(json.dumps(content))
    arguments = ["--recipe", str(tmp_path / "recipe.json"), "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    assert main(arguments) == 0
    rows = [row.split("\t") for row in lines(tmp_path / "text" / "candidates.tsv.xz")]
    assert [row[:3] for row in rows] == [[text] * 3 for text in ("the old house", "a red ball")]
    assert all(len(row) > 3 for row in rows)
    monkeypatch.setattr("export.candidates.Session", None)
    assert main(arguments) == 0


def test_a_recipe_that_asks_for_none_gets_none(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    assert main(["--recipe", str(tmp_path / "recipe.json"), "--data", ".", "--out", str(tmp_path / "run")]) == 0
    assert not (tmp_path / "run").exists()
