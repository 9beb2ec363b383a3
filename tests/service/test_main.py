"""The command line: what it prints, and how it ends when a bundle, a setting or the input is bad."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import tiny_bundle
from tests.house.tree import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """python -m service … in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEED_")}
    command = [sys.executable, "-m", "service", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, encoding="utf-8", timeout=60
    )


def refused(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert all(word in ended.stderr for word in words), ended.stderr


def missing(bundle: Path) -> Path:
    (bundle / "step.onnx").unlink()
    return bundle / "step.onnx"


def wrong(bundle: Path) -> Path:
    (bundle / "encode.onnx").write_bytes(b"another")
    return bundle / "encode.onnx"


def future(bundle: Path) -> Path:
    (bundle / "manifest.json").write_text('{"format": 2}')
    return bundle / "manifest.json"


BROKEN = {"missing": (missing, "is missing"), "digest": (wrong, "digest"), "future": (future, "upgrade the service")}


@pytest.mark.parametrize(("spoil", "why"), BROKEN.values(), ids=BROKEN)
def test_serve_stops_at_a_bad_bundle_with_its_path_and_why(tmp_path, spoil, why) -> None:
    path = spoil(tiny_bundle(tmp_path, "tiny"))
    refused(run("serve", HEED_ZOO=str(tmp_path)), str(path), why)


def test_serve_stops_where_there_is_no_bundle(tmp_path) -> None:
    refused(run("serve", HEED_ZOO=str(tmp_path)), str(tmp_path))


def test_a_bad_setting_is_named(tmp_path) -> None:
    refused(run("serve", HEED_PORT="many"), "HEED_PORT")


def test_models_are_listed(tmp_path) -> None:
    tiny_bundle(tmp_path, "tiny")
    ended = run("models", HEED_ZOO=str(tmp_path))
    assert ended.returncode == 0
    assert "tiny" in ended.stdout
    assert "en → de" in ended.stdout


def test_an_empty_text_is_refused_before_anything_is_loaded(toys: Path) -> None:
    refused(run("translate", " ", "--model", "toy-echo", HEED_ZOO=str(toys)), "text_empty")


def test_a_picture_that_is_not_there_is_named(toys: Path) -> None:
    refused(run("caption", "/no/such/picture.jpg", HEED_ZOO=str(toys)), "/no/such/picture.jpg")


def test_a_map_of_an_unknown_ending_is_refused(toys: Path) -> None:
    refused(run("translate", "house", "--map", "map.xls", HEED_ZOO=str(toys)), ".svg")


def test_translate_prints_the_answer_and_its_map_and_draws_it(toys: Path, tmp_path) -> None:
    drawn = tmp_path / "map.svg"
    asked = ("translate", "the old house", "--to", "de", "--model", "toy-echo", "--map", str(drawn))
    ended = run(*asked, HEED_ZOO=str(toys), HEED_PRECISION="fp32")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("the old house\n")
    assert "█" in ended.stdout
    assert drawn.read_text("utf-8").startswith("<svg") or "<svg" in drawn.read_text("utf-8")[:200]


def test_translate_prints_what_the_service_would_answer(toys: Path) -> None:
    ended = run("translate", "the old house", "--model", "toy-echo", "--json", HEED_ZOO=str(toys))
    assert json.loads(ended.stdout)["results"][0]["text"] == "the old house"
