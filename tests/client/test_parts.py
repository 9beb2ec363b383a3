"""What the client is made of: events cut anywhere, maps that carry no mark-up of others, a wheel that stands alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client import AttentionMap, Heed, Result, TokenEvent
from client.clients import run
from client.events import Parser
from client.reading import Unreadable, read
from tests.house.test_imports import WITHOUT
from tests.house.tree import ROOT

TOKEN = {"index": 0, "id": 5, "text": "Öl \U0001f98a", "start": 0, "end": 4, "logprob": -0.5, "input": 0}
FIRST, SECOND = json.dumps(TOKEN, ensure_ascii=False), json.dumps(TOKEN)
TOLD = f": ping\n\nevent: token\r\nid: 1\r\ndata: {FIRST}\r\n\r\nevent: token\ndata:{SECOND}\n\n"
SCRIPT = "<script>alert(1)</script>\"'"
KEYS = {"type": "text", "items": [{"i": 0, "text": SCRIPT, "start": 0, "end": 1}]}
GRID = {"type": "grid", "rows": 1, "cols": 2, "image": {"width": 20, "height": 10}, "crop": [0, 0, 20, 10]}


def map_of(keys: dict[str, Any], weights: list[list[float]], **more) -> AttentionMap:
    queries = [{"i": i, "text": SCRIPT, "start": 0, "end": 1} for i in range(len(weights))]
    return read(AttentionMap, {"kind": "cross", "queries": queries, "keys": keys, "weights": weights, **more})


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_their_bytes_are_cut(size) -> None:
    parser, data = Parser(), TOLD.encode()
    events = [event for at in range(0, len(data), size) for event in parser.feed(data[at : at + size])]
    assert events == [read(TokenEvent, TOKEN)] * 2


def test_what_a_newer_server_adds_is_left_out_and_what_is_missing_is_not_made_up() -> None:
    assert read(Result, {"text": "a", "score": -1, "finish_reason": "stop", "newer": 1}).score == -1
    with pytest.raises(Unreadable, match="score"):
        read(Result, {"text": "a", "finish_reason": "stop"})


def test_a_map_escapes_what_came_from_outside() -> None:
    for map_ in (map_of(KEYS, [[1.0]]), map_of(GRID, [[0.25, 0.75]])):
        result = Result(text=SCRIPT, score=0, finish_reason="stop", attention=[map_, map_])
        drawn = result._repr_html_()
        assert "<script" not in drawn
        assert "&lt;script&gt;" in drawn


def test_the_brightest_cell_of_a_word_is_not_shaded_and_lies_where_it_should() -> None:
    drawn = map_of(GRID, [[0.25, 0.75]])._repr_html_()
    assert 'x="0.0" y="0.0" width="10.0" height="10.0" fill-opacity="0.533"' in drawn
    assert 'x="10.0" y="0.0" width="10.0" height="10.0" fill-opacity="0.000"' in drawn


def test_a_large_map_says_what_of_it_is_not_drawn() -> None:
    drawn = map_of(KEYS, [[1.0]] * 130)._repr_html_()
    assert drawn.count("<tr>") == 101 and "30 more rows" in drawn


def test_bytes_are_fractions_and_a_grid_has_its_shape() -> None:
    found = map_of(GRID, [[51, 204]], encoding="u8").to_numpy()
    assert found.shape == (1, 1, 2) and np.allclose(found, [[[0.2, 0.8]]])


def test_methods_tell_their_arguments(capsys) -> None:
    with Heed("http://nowhere.invalid") as heed:
        assert (heed.translate.__doc__ or "").startswith("Translate a text")
        with pytest.raises(TypeError, match="text"):
            heed.translate()  # type: ignore[call-arg]


def test_a_synchronous_wire_that_waits_is_a_mistake() -> None:
    import asyncio

    with pytest.raises(RuntimeError, match="waited"):
        run(asyncio.sleep(0))


def test_the_wheel_builds_and_needs_nothing_but_httpx(tmp_path) -> None:
    source = tmp_path / "client"
    shutil.copytree(ROOT / "client", source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    build = "import setuptools.build_meta as backend; print(backend.build_wheel('..'))"
    made = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    (wheel,) = tmp_path.glob("heed_client-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        packed.extractall(tmp_path / "installed")
        (metadata,) = (packed.read(name).decode() for name in names if name.endswith("METADATA"))
    assert {"heed_client/py.typed", "heed_client/clients.py"} <= names
    assert {name.partition("/")[0] for name in names} == {"heed_client", f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}
    needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert needs == ["Requires-Dist: httpx>=0.27"]
    absent = "numpy pydantic PIL service bundle client models export bench torch fastapi starlette"
    modules = [f"heed_client.{Path(name).stem}" for name in names if name.endswith(".py") and "__init__" not in name]
    asked = [sys.executable, "-c", WITHOUT, absent, "heed_client", *modules]
    used = subprocess.run(asked, cwd=tmp_path / "installed", env={"PYTHONPATH": "."}, capture_output=True, text=True)
    assert used.returncode == 0, used.stderr
