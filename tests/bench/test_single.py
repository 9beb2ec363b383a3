"""One request at a time: both sides answer the same texts, and the ratio is that of their medians."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.single import summary


def test_a_ratio_is_that_of_the_medians() -> None:
    figures = summary([(0.002, 0.003), (0.002, 0.1), (0.001, 0.002), (0.004, 0.003)])
    assert (figures["engine"], figures["service"], figures["ratio"]) == (2.0, 3.0, 1.5)


def test_engine_and_service_are_asked_in_turns(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.single.share_threads", lambda _: None)  # this process has its pool already
    (tmp_path / "texts.txt").write_text("a dog\nbusy bees\na text that is longer than those of three words\n" * 2)
    told = [
        "single",
        str(toys / "toy-echo"),
        "--texts",
        str(tmp_path / "texts.txt"),
        "--words",
        "3",
        "--precision",
        "fp32",
    ]
    assert main(told) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["texts"], last["beam"]) == (4, 1)
    assert last["ratio"] == pytest.approx(last["service"] / last["engine"], rel=0.01)
