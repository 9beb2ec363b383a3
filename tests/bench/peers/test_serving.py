"""Servers are tuned alike: one step's choices after the other, the best so far kept."""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.load.points import Point
from bench.peers import serving
from bench.peers.serving import STEP, Tried, highest, known, ladder, tuned

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


def test_rates_go_from_half_of_the_slower_beyond_the_quicker() -> None:
    rates = ladder([100.0, 160.0])
    assert rates[0] == 50 and rates[-2] < 160 * STEP <= rates[-1]
    assert all(b / a == pytest.approx(STEP) for a, b in pairwise(rates))


@pytest.mark.parametrize(
    ("late", "carried"), [([100, 400, 900, 100], 60.0), ([900, 100], 0.0), ([1, 2, 3], 70.0), ([100, 400, 900], 60.0)]
)
def test_what_is_carried_ends_where_the_first_rate_is_late(late: list[float], carried: float) -> None:
    rates = [50.0, 60.0, 70.0, 80.0]
    points = [
        Point(rate, rate, ms, ms, ms, ms, 100, {}, 1.0, 0.0, 0.0, 0.0) for rate, ms in zip(rates, late, strict=False)
    ]
    assert highest(points, 500.0) == carried


def test_a_contest_is_read_off_the_medians_of_interleaved_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []

    def under(who: str, _: str, given: argparse.Namespace, trial: Any) -> Tried:
        turns.append(who)
        slow = turns.count(who) == 3  # one round falls into a bad moment of the machine, as does no median
        held = {"Heed": 200.0, "mosec": 100.0}[who] * (0.5 if slow else 1.0)

        def measure(rate: float) -> Point:
            late = 100.0 if rate <= held else 900.0
            return Point(rate, rate, late, late, late, late, 9, {}, 1.0, 0.0, 0.0, 0.0)

        return Tried(trial(measure), 7.0)

    monkeypatch.setattr(serving, "under", under)
    monkeypatch.setattr(serving, "heed", lambda *_: "Heed")
    monkeypatch.setattr(serving, "started", lambda name, *_: name)
    monkeypatch.setattr(serving, "known", lambda *_: {})
    monkeypatch.setattr(serving, "python_of", lambda *_: Path())
    given = argparse.Namespace(
        **vars(GIVEN), work=Path(), bundle=Path("x"), runs=5, threads=2, beam=5, attention="soft", plots=None
    )
    ours, theirs = serving.compare("mosec", given)
    assert turns == ["Heed", "mosec"] * 6  # who goes how far, then five rounds
    assert 200 / STEP < ours["a_second"] <= 200 and 100 / STEP < theirs["a_second"] <= 100
    assert (ours["or_more"], theirs["or_more"]) == (False, False)
    assert ours["slowest"] < 101 < ours["fastest"] == ours["a_second"]
    assert theirs["ratio"] == round(ours["a_second"] / theirs["a_second"], 3)


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
