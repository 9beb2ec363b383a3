"""Servers are tuned alike: one step's choices after the other, the best so far kept."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from bench.load.points import Point
from bench.peers import serving
from bench.peers.serving import Tried, known, tuned

GIVEN = argparse.Namespace(p95=500.0, start=8.0, leaving=False)


def capacity(how: dict[str, Any]) -> float:
    """Two workers are better than one, batches of 16 best, a longer wait worse."""
    held: float = how["workers"] * 100 / (1 + abs(how["batch"] - 16) / 16) / (1 + how["wait"] / 50)
    return held


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Instead of servers: every setting that would have been started."""
    seen: list[dict[str, Any]] = []

    def under(how: dict[str, Any], who: str, given: argparse.Namespace, trial: Any) -> Tried:
        seen.append(how)
        held = capacity(how)

        def measure(rate: float) -> Point:
            late = 100.0 if rate <= held else 5000.0
            return Point(rate, rate, late, late, late, late, 100, {}, 1.0, 0.0, 0.0, 0.0)

        return Tried(trial(measure), 10.0)

    monkeypatch.setattr(serving, "under", under)
    return seen


def test_the_best_of_each_step_is_the_start_of_the_next(tried: list[dict[str, Any]]) -> None:
    usual = {"batch": 32, "wait": 5}
    spread = [{"workers": 1, **usual}, {"workers": 2, **usual}]
    steps = [spread, [{"batch": size} for size in (8, 16, 32, 64)], [{"wait": wait} for wait in (5, 50)]]
    assert tuned("fake", lambda how: how, steps, GIVEN) == {"workers": 2, "batch": 16, "wait": 5}  # type: ignore[arg-type, return-value]
    assert [(one["workers"], one["batch"], one["wait"]) for one in tried] == [
        (1, 32, 5),
        (2, 32, 5),
        (2, 8, 5),
        (2, 16, 5),
        (2, 64, 5),  # 32 was tried before
        (2, 16, 50),
    ]


def test_ours_is_tuned_as_the_peers_are() -> None:
    given = argparse.Namespace(threads=2)
    ours, theirs = serving._ours(given), serving._theirs("mosec", given)
    assert ours[0] == [{"engines": 1, "threads": 2}, {"engines": 2, "threads": 1}]
    assert [(one["workers"], one["threads"]) for one in theirs[0]] == [(1, 2), (2, 1)]


def test_what_was_found_for_the_same_work_is_not_looked_for_again(tried: list[dict[str, Any]], tmp_path: Path) -> None:
    work: dict[str, Any] = {
        "work": tmp_path / "new",
        "bundle": Path("zoo/x"),
        "precision": "int8",
        "threads": 2,
        "beam": 5,
    }
    given = argparse.Namespace(**vars(GIVEN), **work, attention="soft", tune_anew=False)
    steps = [[{"workers": workers, "batch": 16, "wait": 0} for workers in (1, 2)]]

    def found(**changed: Any) -> int:
        before = len(tried)
        how = argparse.Namespace(**{**vars(given), **changed})
        assert known("fake", lambda how: how, steps, how)["workers"] == 2  # type: ignore[arg-type, return-value]
        return len(tried) - before

    assert found() == 2
    assert found() == 0
    assert found(beam=1) == 2
    assert found() == 0
    assert found(tune_anew=True) == 2
    assert found(leaving=True) == 2  # batches that shrink want other settings
