"""A recipe that begins with another one, which has a teacher's text of its own: all of it is made, once."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from export.rebuild import main

NET = {"embedding": 16, "encoder": 12, "decoder": 20, "attention_width": 12}


def recipe(toys: Path, entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    data = {"source": "en", "target": "de", "vocabulary": 40, "cells": 200, "train": [entry], "dev": "train"}
    train = {"steps": 3, "rate": 0.01, "warmup": 1, "judge_every": 3, "threads": 1}
    distil = {"teacher": str(toys / "toy-echo"), "file": "distilled.tsv.xz", "aligned": ["train"]}
    return {"task": "translation", "card": {}, "net": NET, "data": data, "train": train, "distil": distil, **more}


def test_what_a_recipe_begins_with_gets_its_own_teachers_text_and_nothing_is_made_twice(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language in ("en", "de"):
        (tmp_path / f"train.{language}.xz").write_bytes(lzma.compress(b"the old house\na red ball\nthe dog runs\n" * 9))
    taught = {"distilled": "distilled.tsv.xz"}
    (tmp_path / "first.json").write_text(json.dumps(recipe(toys, taught)))
    (tmp_path / "second.json").write_text(json.dumps(recipe(toys, taught, first="first")))
    run = tmp_path / "run"
    arguments = ["--recipe", str(tmp_path / "second.json"), "--data", str(tmp_path), "--out", str(run)]
    assert main(arguments) == 0
    for folder in (run, run / "start"):
        assert {"best.pt", "distilled.tsv.xz", "vocabulary.model"} <= {path.name for path in folder.iterdir()}
    assert (run / "vocabulary.model").read_bytes() == (run / "start" / "vocabulary.model").read_bytes()
    began: list[list[str]] = []
    monkeypatch.setattr("export.rebuild.distil.main", began.append)
    assert main(arguments) == 0
    assert len(began) == 1, "the first run is done, and not looked at again"
