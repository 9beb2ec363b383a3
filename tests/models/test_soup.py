"""The mean of several runs' weights: who starts with what, and what comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from models import soup
from models.train import main, train
from tests.models.test_train import data, recipe

__all__ = ["data"]  # a fixture


def test_a_recipe_with_a_mean_trains_each_run_from_one_start_and_takes_the_mean(data: Path, tmp_path: Path) -> None:
    (tmp_path / "older.json").write_text(json.dumps(recipe(steps=4)))
    content = {**recipe(steps=6), "first": "older"}
    content["mean"] = [{"train": {"seed": 4}}, {"train": {"seed": 5, "steps": 8}}]
    (tmp_path / "whole.json").write_text(json.dumps(content))
    out = tmp_path / "runs" / "whole"
    train(tmp_path / "whole.json", data, out)
    kept = torch.load(out / "best.pt", weights_only=True)
    each = [torch.load(out.with_name(f"whole-{number}") / "best.pt", weights_only=True) for number in (1, 2)]
    assert [one["recipe"]["train"]["seed"] for one in each] == [4, 5]
    assert kept["figures"]["step"] == sum(one["figures"]["step"] for one in each)
    assert any(not torch.equal(each[0]["net"][name], each[1]["net"][name]) for name in kept["net"])
    for name, value in kept["net"].items():
        torch.testing.assert_close(value, (each[0]["net"][name] + each[1]["net"][name]) / 2)
    assert (out / "vocabulary.model").read_bytes() == (out / "start" / "vocabulary.model").read_bytes()
    assert (out.with_name("whole-1") / "start" / "best.pt").samefile(out / "start" / "best.pt")


def test_the_weights_that_the_runs_began_with_may_count_too(data: Path, tmp_path: Path) -> None:
    (tmp_path / "older.json").write_text(json.dumps(recipe(steps=4)))
    content = {**recipe(steps=6), "first": "older", "mean": [{"train": {"seed": 4}}, "start", "start"]}
    (tmp_path / "whole.json").write_text(json.dumps(content))
    out = tmp_path / "runs" / "whole"
    train(tmp_path / "whole.json", data, out)
    kept, run, start = (
        torch.load(folder / "best.pt", weights_only=True) for folder in (out, out.with_name("whole-1"), out / "start")
    )
    assert kept["figures"]["step"] == run["figures"]["step"]
    assert any(not torch.equal(run["net"][name], start["net"][name]) for name in kept["net"])
    for name, value in kept["net"].items():
        torch.testing.assert_close(value, (run["net"][name] + 2 * start["net"][name]) / 3)


def test_runs_with_different_pieces_have_no_mean(tmp_path: Path) -> None:
    content: dict[str, Any] = {"mean": [{}, {}]}
    for number, (_, folder) in enumerate(soup.runs(content, tmp_path / "run")):
        (folder / "vocabulary.model").write_bytes(bytes([number]))
    with pytest.raises(ValueError, match="different vocabularies"):
        soup.stir(content, tmp_path / "run")


def test_the_loop_alone_does_not_train_a_recipe_that_is_several_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "whole.json").write_text(json.dumps({**recipe(), "mean": [{}, {}]}))
    given = ["models.train", str(tmp_path / "whole.json"), "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    monkeypatch.setattr("sys.argv", given)
    with pytest.raises(SystemExit):
        main()
    assert "export rebuild" in capsys.readouterr().err and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([{}, {}], "2 runs"),
        ([{}, {}, "start"], "2 runs and their start"),
        ([{}, "start", "start", "start"], "1 run and 3 times its start"),
    ],
)
def test_a_card_says_what_the_mean_is_of(parts: list[Any], text: str) -> None:
    assert soup.told({"mean": parts}) == text


def test_counters_are_not_averaged() -> None:
    nets = [{"weight": torch.tensor([float(i)]), "count": torch.tensor(i)} for i in (1, 3)]
    found = soup.mean(nets)
    assert found["weight"].item() == 2 and found["count"].item() == 1
