"""Contestants take turns; the faster choice is kept; medians are of the runs asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.peers import contest
from bench.peers.contest import Contestant, Entry, Silent, agreement, tuned

# A contestant whose seconds are what its setting says: nothing here depends on a clock.
FAKE = """
from bench.peers.inside.turns import Turn, take_turns
calls = []

def play(setting):
    calls.append(setting)
    print("chatter that is no answer")
    seconds = setting["seconds"] * (1 + len(calls) % 3)
    return Turn(seconds, [[7, 8], [len(calls), 9]][: setting.get("inputs")])

take_turns(play, {"engine": "fake"})
"""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "PAUSE", 0.0)


def entry(*seconds: float) -> Entry:
    return Entry("fake", [sys.executable, "-c", FAKE], {"beam": 5}, [{"seconds": one} for one in seconds])


def test_the_fastest_choice_is_taken(tmp_path: Path) -> None:
    assert tuned(entry(3.0, 0.5, 2.0), tmp_path / "log", 1) == {"seconds": 0.5}


def test_a_turn_is_told_with_memory_and_answers_only_if_asked_for(tmp_path: Path) -> None:
    with Contestant(entry(1.0), tmp_path / "log") as one:
        assert one.about == {"engine": "fake"}
        with_answers = one.turn({"seconds": 1.0, "answers": True, "inputs": 1})
        assert with_answers["answers"] == [[7, 8]] and with_answers["tokens"] == 2 and with_answers["rss_mb"] > 1
        assert "answers" not in one.turn({"seconds": 1.0})
    assert "chatter" in (tmp_path / "log").read_text()


def test_medians_are_of_the_rounds_after_the_first(tmp_path: Path) -> None:
    (result,) = contest.contest([entry(1.0)], tmp_path, runs=3, few=1)
    # seconds by turn: 2 (not counted), then 3, 1, 2; two inputs each
    assert (result.slowest, result.rate, result.fastest) == (pytest.approx(2 / 3), 1.0, 2.0)
    assert result.tokens == 2.0 and result.answers == [[7, 8], [1, 9]]


def test_agreement_is_the_share_of_equal_answers(tmp_path: Path) -> None:
    (result,) = contest.contest([entry(1.0)], tmp_path, runs=1, few=1)
    assert agreement(result, result) == 1.0
    assert agreement(result, result._replace(answers=[[7, 8], [0]])) == 0.5


def test_a_contestant_that_ends_is_named_with_its_log(tmp_path: Path) -> None:
    gone = Entry("gone", [sys.executable, "-c", "raise SystemExit('no such model')"], {}, [{}])
    with pytest.raises(Silent, match="gone ended"):
        Contestant(gone, tmp_path / "log")
    assert "no such model" in (tmp_path / "log").read_text()
