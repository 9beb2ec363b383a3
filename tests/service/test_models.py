"""Models changed in a running service of two workers: under load nothing is lost, and no answer is of two versions.

The two versions are untrained nets of different weights, so each has an answer and a map of its own for every text: an
answer whose name, text or map do not belong together shows.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.house.tree import ROOT
from tests.link.asking import PATIENCE
from tests.service.test_serve import Server, serving, until

NAME = "toy-recurrent"
TEXTS = ("the old house", "a red ball in the park", "she reads a book", "why do birds sing before the sun comes up?")
CLIENTS, AFTER = 8, 40
ADMIN = re.compile(r"uvicorn\.error INFO Uvicorn running on (http://127\.0\.0\.1:\d+)")


class Answer(NamedTuple):
    """Of one request. Times are time.monotonic() seconds."""

    sent: float
    ended: float
    model: str
    text: str
    said: tuple[str, list[list[float]]]


@pytest.fixture(scope="session")
def two(toys: Path) -> Path:
    """A zoo with the same net in two versions of different weights, made once beside the toys."""
    from export.toy import toy

    zoo = toys.with_name(f"{toys.name}-two")
    for version in ("1", "2"):
        path = zoo / version / NAME / "manifest.json"
        if not path.exists() or json.loads(path.read_text())["version"] != version:
            toy(zoo / version, NAME, seed=int(version), precisions=("fp32",))
            path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
    return zoo


@contextmanager
def managed(zoo: Path, log: Path, **variables: str) -> Iterator[tuple[Server, str]]:
    """A running service and the address of its admin listener."""
    with serving(zoo, log, HEED_ADMIN_PORT="0", **variables) as server:
        found = ADMIN.search(log.read_text())
        assert found is not None, log.read_text()
        yield server, found[1]


def asked(client: httpx.Client, text: str, model: str = NAME) -> Answer:
    body = {"text": text, "model": model, "beam_size": 2, "max_length": 20}
    sent = time.monotonic()
    answer = client.post("/v1/translate", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    (result,) = told["results"]
    return Answer(sent, time.monotonic(), told["model"], text, (result["text"], result["attention"]["weights"]))


def alike(one: tuple[str, list[list[float]]], other: tuple[str, list[list[float]]]) -> bool:
    return one[0] == other[0] and all(a == pytest.approx(b, abs=1e-3) for a, b in zip(one[1], other[1], strict=True))


def test_replaced_under_load_nothing_is_lost_none_is_mixed_and_the_answers_switch_once(two: Path, tmp_path) -> None:
    variables = {"HEED_MODELS": f"{NAME}@1", "HEED_ENGINES": "2"}
    with managed(two, tmp_path / "log", **variables) as (server, admin):
        known = {f"{NAME}@1": {text: asked(server.client, text).said for text in TEXTS}}
        answers, over = list[Answer](), threading.Event()

        def client(number: int) -> None:
            with httpx.Client(base_url=server.client.base_url, timeout=PATIENCE) as own:
                for turn in range(10_000):
                    if over.is_set():
                        return
                    answers.append(asked(own, TEXTS[(number + turn) % len(TEXTS)]))

        with ThreadPoolExecutor(CLIENTS) as pool:
            crowd = [pool.submit(client, number) for number in range(CLIENTS)]
            try:
                until(lambda: len(answers) >= AFTER)
                called = time.monotonic()
                changed = httpx.post(
                    f"{admin}/v1/admin/models/load", json={"model": NAME, "replace": True}, timeout=PATIENCE
                )
                returned, before = time.monotonic(), len(answers)
                until(lambda: len(answers) >= before + AFTER)
            finally:
                over.set()
            for line in crowd:
                line.result()  # whatever was not answered is raised here
        assert changed.status_code == 200 and changed.json()["changed"] == f"{NAME}@2", changed.text
        known[f"{NAME}@2"] = {text: asked(server.client, text).said for text in TEXTS}
        assert server.client.post("/v1/translate", json={"text": "a", "model": f"{NAME}@1"}).status_code == 404
    old, new = known.values()
    assert not any(alike(old[text], new[text]) for text in TEXTS), "they can be told apart"
    for one in answers:
        assert alike(one.said, known[one.model][one.text]), f"{one.model} did not say this"
    assert {one.model for one in answers if one.ended < called} == {f"{NAME}@1"}
    assert {one.model for one in answers if one.sent > returned} == {f"{NAME}@2"}
    first_new = min(one.ended for one in answers if one.model == f"{NAME}@2")
    assert not [one for one in answers if one.model == f"{NAME}@1" and one.sent > first_new], "nobody goes back"
    logged = (tmp_path / "log").read_text()
    assert '"replace": true' in logged and '"result": "ok"' in logged and "heed.audit" in logged
    assert "Traceback" not in logged


def models(*arguments: str) -> subprocess.CompletedProcess[str]:
    """python -m service models …"""
    command = [sys.executable, "-m", "service", "models", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


def test_the_command_line_lists_loads_prefers_and_unloads(two: Path, tmp_path) -> None:
    with managed(two, tmp_path / "log", HEED_MODELS=f"{NAME}@2", HEED_LINK="local") as (server, admin):
        there = ("--url", admin)
        assert [line.split()[:2] for line in models("list", *there).stdout.splitlines()] == [
            [f"{NAME}@2", "loaded"], [f"{NAME}@1", "available"],
        ]  # fmt: skip
        assert models("load", f"{NAME}@1", *there).returncode == 0
        assert asked(server.client, TEXTS[0]).model == f"{NAME}@2"
        assert asked(server.client, TEXTS[0], f"{NAME}@1").model == f"{NAME}@1"
        assert models("default", f"{NAME}@1", *there).stdout.splitlines()[0].split()[-1] == "default"
        assert asked(server.client, TEXTS[0]).model == f"{NAME}@1"
        assert models("unload", f"{NAME}@2", *there).returncode == 0
        refused = models("unload", NAME, *there)
        assert (refused.returncode, refused.stdout) == (2, "") and "model_conflict" in refused.stderr
    gone = models("list", *there)
    assert gone.returncode == 1 and "nobody answers" in gone.stderr and "Traceback" not in gone.stderr


def test_a_start_beyond_the_memory_budget_is_one_line(two: Path) -> None:
    from tests.link.asking import environment

    variables = environment(two, HEED_MODELS=f"{NAME}@1,{NAME}@2", HEED_MODEL_MEMORY_MB="1", HEED_ENGINES="1")
    command = [sys.executable, "-m", "service", "serve"]
    ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 2
    assert "heed: memory_budget_exceeded: The models loaded take" in ended.stderr
    assert "Traceback" not in ended.stderr
