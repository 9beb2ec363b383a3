"""The whole subcommand against a server in this process: a table, JSON, a drawing. No figure is asserted."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from bench import http
from bench.__main__ import main
from tests.bench.toys import echoing


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("a dog\nbusy bees\n")
    return path


def lines(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def test_points_are_printed_drawn_and_judged(texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawing = tmp_path / "load.svg"
    rest = ["--seconds", "1", "--warm", "0.2", "--rates", "30,60", "--p95", "60000", "--plot", str(drawing)]
    with echoing() as url:
        status = main(["http", url, "--texts", str(texts), "--beam", "1", *rest])
    *points, last = lines(capsys.readouterr().out)
    assert len(points) == 2 and all(set(one["refused"]) == {"429"} for one in points)
    assert points[0]["requests"] < points[1]["requests"]
    assert points[0]["size"] == len(b'{"text": "a dog", "attention": "soft", "beam_size": 1}')
    assert status == 1 and last["best"] is None  # half of the requests are refused: nothing holds
    assert drawing.read_text().startswith("<svg")


def test_the_highest_that_holds_is_named(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts.write_text("a dog\n")
    with echoing() as url:
        rest = ["--seconds", "1", "--warm", "0.2", "--rates", "20", "--p95", "60000"]
        assert main(["http", url, "--texts", str(texts), *rest]) == 0
    point, last = lines(capsys.readouterr().out)
    assert last["best"] == point and {"processor", "cores", "load"} <= set(last)


def test_our_own_server_gets_its_settings_from_the_bundle_and_what_is_set_counts_last(toys: Path) -> None:
    parser = argparse.ArgumentParser()
    http.options(parser)
    given = parser.parse_args([str(toys / "toy-echo"), "--threads", "3", "--set", "rows=64"])
    with pytest.raises(SystemExit, match="not exported in fp16"):
        http.exported(toys / "toy-echo", "fp16")
    environment = http.heed(toys / "toy-echo", given, {"rows": 80, "engines": 2}).environment
    wanted = {"HEED_MODELS": "toy-echo", "HEED_THREADS": "1", "HEED_ROWS": "64", "HEED_ENGINES": "2"}
    assert wanted.items() <= environment.items()
    assert environment["HEED_PORT"].isdigit() and environment["HEED_ZOO"] == str(toys.resolve())
