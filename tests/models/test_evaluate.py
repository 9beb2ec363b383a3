"""Scores of a run: those of its best checkpoint, on the split that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.evaluate import evaluate
from models.train import Run
from tests.models.test_train import data, recipe

__all__ = ["data"]  # the toy corpus, a fixture


def test_a_run_scores_what_its_best_checkpoint_scored_while_training(data: Path, tmp_path: Path) -> None:
    run = Run(recipe(steps=150, judge_every=50), data, tmp_path / "run")
    run.fit()
    found = evaluate(tmp_path / "run", data, "val")
    assert found["split"] == "val" and run.best > 0
    assert next(value for name, value in found.items() if name.startswith("sacreBLEU")) == run.best


def test_a_folder_without_a_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        evaluate(tmp_path, tmp_path)
