"""The loop: it learns, resumes where it stopped, keeps its best, and refuses a recipe with a typo."""

from __future__ import annotations

import json
import lzma
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tqdm import tqdm

from bundle.text import Vocabulary
from models.data import aligned
from models.nets.luong import LuongTranslator
from models.recipe import read
from models.risk import expected_cost
from models.train import Run, Schedule, begin, inherit

WORDS = ["red", "blue", "dog", "cat", "runs", "sleeps", "a", "the"]
FOREIGN = ["rot", "blau", "Hund", "Katze", "rennt", "schläft", "ein", "der"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A toy corpus: each word has one translation, in the same order."""
    random = np.random.default_rng(1)
    for name, number in (("train", 200), ("val", 12)):
        rows = [random.integers(0, 8, random.integers(2, 6)) for _ in range(number)]
        for language, words in (("en", WORDS), ("de", FOREIGN)):
            text = "\n".join(" ".join(words[i] for i in row) for row in rows) + "\n"
            (tmp_path / f"{name}.{language}.xz").write_bytes(lzma.compress(text.encode()))
    return tmp_path


def recipe(**train: Any) -> dict[str, Any]:
    return {
        "task": "translation",
        "net": {"embedding": 16, "encoder": 12, "decoder": 20, "attention_width": 12},
        "data": {
            "source": "en", "target": "de", "vocabulary": 60, "cells": 200,
            "train": [{"aligned": "train"}], "dev": "val",
        },
        "train": {"steps": 30, "rate": 0.01, "warmup": 5, "judge_every": 10, "threads": 1, **train},
    }  # fmt: skip


def test_a_run_learns_and_keeps_the_best_average(data: Path, tmp_path: Path) -> None:
    run = Run(recipe(), data, tmp_path / "run")
    random = np.random.default_rng(1)
    before = run.task.loss(next(iter(run.task.batches(0, random))))[0].item()
    run.fit()
    after = run.task.loss(next(iter(run.task.batches(0, random))))[0].item()
    assert after < 0.8 * before
    kept = torch.load(tmp_path / "run" / "best.pt", weights_only=True)
    assert kept["figures"]["score"] == max(figures["score"] for figures in run.history)
    assert kept["recipe"] == recipe()


def test_a_resumed_run_goes_on_with_everything_it_had(data: Path, tmp_path: Path) -> None:
    run = Run(recipe(steps=10), data, tmp_path / "run")
    run.fit()
    again = Run(recipe(steps=20), data, tmp_path / "run")
    again.resume()
    assert (again.step, again.history, again.best) == (10, run.history, run.best)
    for name, value in run.net.state_dict().items():
        torch.testing.assert_close(again.net.state_dict()[name], value)
        torch.testing.assert_close(again.averaged[name], run.averaged[name])
    again.fit()
    assert again.step == 20


def test_a_run_in_bf16_learns_and_keeps_its_weights_in_full(data: Path, tmp_path: Path) -> None:
    run = Run(recipe(precision="bf16"), data, tmp_path / "run")
    seen = []
    run.net.recurrent.register_forward_hook(lambda *call: seen.append(call[2].dtype))  # type: ignore[union-attr]
    before = run.task.loss(next(iter(run.task.batches(0, np.random.default_rng(1)))))[0].item()
    seen.clear()
    run.one_epoch(tqdm(disable=True))
    assert set(seen) == {torch.bfloat16, torch.float32}, "updates in bf16, judging in fp32"
    after = run.task.loss(next(iter(run.task.batches(0, np.random.default_rng(1)))))[0].item()
    assert after < 0.9 * before
    assert {value.dtype for value in run.net.state_dict().values()} == {torch.float32}


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ValueError, match="fp8"):
        Schedule.read({"steps": 1, "precision": "fp8"})


def test_a_run_may_begin_with_a_narrower_net(data: Path, tmp_path: Path) -> None:
    (tmp_path / "narrow.json").write_text(json.dumps(recipe(steps=4)))
    begin(tmp_path / "narrow.json", data, tmp_path / "start")
    wider = recipe()
    wider["net"] |= {"encoder": 16, "decoder": 25}
    narrow, run = Run(recipe(), data, tmp_path / "start"), Run({**wider, "first": "narrow"}, data, tmp_path)
    kept = torch.load(tmp_path / "start" / "best.pt", weights_only=True)["net"]
    narrow.net.load_state_dict(kept)
    source, given = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 8]])
    torch.testing.assert_close(run.net.eval()(source, given)[0], narrow.net.eval()(source, given)[0])


def test_a_run_that_gets_no_better_stops_early(data: Path, tmp_path: Path) -> None:
    run = Run(recipe(steps=1000, rate=0.0, judge_every=2, patience=3), data, tmp_path / "run")
    run.fit()
    assert run.step <= 2 * 4


def test_minutes_end_a_run_as_updates_do(data: Path, tmp_path: Path) -> None:
    run = Run(recipe(steps=100_000), data, tmp_path / "run", minutes=1e-9)
    run.fit()
    assert run.step == 1


def test_a_typo_in_a_recipe_is_an_error_and_not_two_wasted_hours() -> None:
    with pytest.raises(ValueError, match="stepz"):
        Schedule.read({"steps": 1, "stepz": 2})


def test_the_rate_rises_then_falls_to_nothing() -> None:
    schedule = Schedule(steps=100, warmup=10)
    assert schedule.factor(0, 0.0) == pytest.approx(0.1)
    assert schedule.factor(50, 0.5) == pytest.approx(0.5)
    assert schedule.factor(100, 1.0) == pytest.approx(0.0, abs=1e-9)
    assert math.isclose(schedule.factor(9, 0.0), 1.0)


def test_what_a_recipe_starts_from_is_trained_once(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "first.json"
    path.write_text(json.dumps(recipe(steps=4)))
    begin(path, data, tmp_path / "start")
    made = (tmp_path / "start" / "best.pt").stat().st_mtime_ns
    begin(path, data, tmp_path / "start")
    assert (tmp_path / "start" / "best.pt").stat().st_mtime_ns == made


def test_a_run_begins_with_the_best_weights_and_the_vocabulary_of_its_first(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "first.json"
    path.write_text(json.dumps(recipe(steps=4)))
    begin(path, data, tmp_path / "start")
    run = Run({**recipe(), "first": "first"}, data, tmp_path)
    kept = torch.load(tmp_path / "start" / "best.pt", weights_only=True)["net"]
    for name, value in run.net.state_dict().items():
        torch.testing.assert_close(value, kept[name])
    assert (tmp_path / "vocabulary.model").read_bytes() == (tmp_path / "start" / "vocabulary.model").read_bytes()


def test_what_it_starts_from_may_start_from_something_itself(data: Path, tmp_path: Path) -> None:
    (tmp_path / "oldest.json").write_text(json.dumps(recipe(steps=4)))
    (tmp_path / "older.json").write_text(json.dumps({**recipe(steps=2), "first": "oldest"}))
    begin(tmp_path / "older.json", data, tmp_path / "start")
    oldest, older = tmp_path / "start" / "start" / "best.pt", tmp_path / "start" / "best.pt"
    assert torch.load(oldest, weights_only=True)["figures"]["step"] == 4
    assert torch.load(older, weights_only=True)["figures"]["step"] == 2
    assert torch.load(older, weights_only=True)["recipe"]["first"] == "oldest"


@pytest.mark.parametrize("path", sorted(Path("models/recipes").glob("*.json")), ids=lambda path: path.stem)
def test_every_recipe_can_be_read(path: Path) -> None:
    content = read(path)
    assert Schedule.read(content["train"]).steps > 0
    assert {"task", "data"} <= set(content)
    if "net" in content:  # without it, a recipe is only what others are based on
        assert isinstance(content["net"], dict)


def test_one_net_learns_several_pairs_by_their_tags(data: Path, tmp_path: Path) -> None:
    both = [{"aligned": "train", "source": "en", "target": "de"}, {"aligned": "train", "source": "de", "target": "en"}]
    dev = [{**entry, "aligned": "val", "first": 6} for entry in both]
    several = recipe(steps=10)
    several["data"] |= {"train": both, "dev": dev, "tags": {"de": "<2de>", "en": "<2en>"}, "negatives": 20, "worn": 0.2}
    run = Run(several, data, tmp_path / "run")
    tags = [Vocabulary(tmp_path / "run" / "vocabulary.model").id(f"<2{language}>") for language in ("de", "en")]
    firsts = {int(row[0]) for batch in run.task.batches(0, np.random.default_rng(1)) for row in batch.source}
    assert firsts == set(tags)
    run.fit()
    assert {"score", "val en-de", "val de-en"} <= set(run.history[-1])
    assert run.net.sample is None, "the whole vocabulary is scored again after a step"
    assert tags[0] not in Vocabulary(tmp_path / "run" / "vocabulary.model").ids("<2de> dog"), "no text can say a tag"


def test_a_recipe_may_say_what_answers_cost(data: Path, tmp_path: Path) -> None:
    pairs = aligned(data / "train", "en", "de")
    rows = [[*pair, " ".join(reversed(pair.target.split())), pair.target] for pair in pairs]
    (tmp_path / "candidates.tsv.xz").write_bytes(lzma.compress("".join("\t".join(row) + "\n" for row in rows).encode()))
    judged = recipe(steps=40)
    judged["data"]["risk"] = {"file": "../candidates.tsv.xz", "weight": 3.0, "of_each": 2, "cells": 100}
    run = Run(judged, data, tmp_path / "run")
    batch = next(iter(run.task.batches(0, np.random.default_rng(1))))
    run.net.eval()
    risk = expected_cost(run.net, batch.rivals, 10.0)  # type: ignore[arg-type]
    torch.testing.assert_close(run.task.loss(batch)[0], run.task.loss(batch._replace(rivals=None))[0] + 3.0 * risk)
    run.fit()
    assert expected_cost(run.net, batch.rivals, 10.0) < risk - 0.05  # type: ignore[arg-type]


def luong(attention: str, decoder: int = 20) -> LuongTranslator:
    return LuongTranslator(60, attention=attention, embedding=16, encoder=10, decoder=decoder, attention_width=12)


def test_a_net_with_another_attention_takes_over_everything_else() -> None:
    old, new = luong("general"), luong("concat")
    fresh = {name: value.clone() for name, value in new.state_dict().items() if name.startswith("attention.")}
    inherit(new, old.state_dict())
    for name, value in new.state_dict().items():
        torch.testing.assert_close(value, fresh[name] if name in fresh else old.state_dict()[name])


@pytest.mark.parametrize("other", [luong("general", decoder=24), torch.nn.Linear(2, 2)])
def test_a_net_that_differs_in_more_is_refused(other: torch.nn.Module) -> None:
    with pytest.raises(ValueError, match="more than its attention"):
        inherit(luong("general"), other.state_dict())
