"""Scores of a run: those of its best checkpoint, on the split that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.text import Vocabulary
from models.evaluate import evaluate
from models.tasks.translation import Translator, translate
from models.train import Run
from tests.models.test_train import data, recipe

__all__ = ["data"]  # the toy corpus, a fixture


def test_a_run_scores_what_its_best_checkpoint_scored_while_training(data: Path, tmp_path: Path) -> None:
    run = Run(recipe(steps=150, judge_every=50), data, tmp_path / "run")
    run.fit()
    found = evaluate(tmp_path / "run", data, "val")
    assert found["split"] == "val" and run.best > 0
    assert next(value for name, value in found.items() if name.startswith("sacreBLEU")) == run.best


def test_a_net_of_several_pairs_is_scored_on_each_that_the_split_has(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = recipe(steps=60, judge_every=60)
    both = [{"source": "en", "target": "de"}, {"source": "de", "target": "en"}]
    several["data"] |= {
        "tags": {"de": "<2de>", "en": "<2en>"},
        "train": [{"aligned": "train", **pair} for pair in both],
        "dev": [{"aligned": "val", **pair} for pair in both],
    }
    run = Run(several, data, tmp_path / "run")
    run.fit()
    asked: list[list[int]] = []
    pieces = Vocabulary(tmp_path / "run/vocabulary.model")

    def heard(net: Translator, vocabulary: Vocabulary, texts: list[str], *, before: list[int]) -> list[str]:
        asked.append(before)
        return translate(net, vocabulary, texts, before=before)

    monkeypatch.setattr("models.evaluate.translate", heard)
    found = evaluate(tmp_path / "run", data, "val")
    assert asked == [[pieces.id(mark)] for mark in ("<2de>", "<2en>")]
    told = {name: value for name, value in found.items() if "sacreBLEU" in name}
    assert [name[:6] for name in told] == ["en-de ", "de-en "]
    assert list(told.values()) == [run.history[-1]["val en-de"], run.history[-1]["val de-en"]]
    (data / "val.en.xz").rename(data / "gone.en.xz")
    with pytest.raises(FileNotFoundError, match="en-de, de-en"):
        evaluate(tmp_path / "run", data, "val")


def test_a_folder_without_a_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        evaluate(tmp_path, tmp_path)
