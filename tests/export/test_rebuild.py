"""A recipe that begins with another one, which has a teacher's text of its own: all of it is made, once."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from export import distil
from export.rebuild import main
from models.data import Pair

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


@pytest.mark.parametrize(("beside", "written"), [("distilled.tsv.xz", 1), ("other.tsv.xz", 2)])
def test_a_text_is_written_once_for_two_runs_that_ask_for_the_same(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: str, written: int
) -> None:
    for language in ("en", "de"):
        (tmp_path / f"train.{language}.xz").write_bytes(lzma.compress(b"the old house\na red ball\nthe dog runs\n" * 9))
    files = {"first": "../distilled.tsv.xz", "second": f"../{beside}"}
    for name, file in files.items():
        one = recipe(toys, {"distilled": file}, **({"first": "first"} if name == "second" else {}))
        one["distil"]["file"] = file
        (tmp_path / f"{name}.json").write_text(json.dumps(one))
    made: list[Path] = []
    write = distil.write

    def counted(path: Path, pairs: list[Pair]) -> None:
        made.append(path)
        write(path, pairs)

    monkeypatch.setattr(distil, "write", counted)
    run = tmp_path / "run"
    assert main(["--recipe", str(tmp_path / "second.json"), "--data", str(tmp_path), "--out", str(run)]) == 0
    assert len(made) == written
    assert (run / f"../{beside}").read_bytes() == (run / "distilled.tsv.xz").read_bytes()
