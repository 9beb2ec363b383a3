"""The whole service as people start it: a front, its workers, and what becomes of each when the other is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.house.tree import ROOT
from tests.link.asking import PATIENCE, alive, environment

ASKED = {"text": "the old house", "model": "toy-echo", "beam_size": 1, "attention": "none"}


class Server:
    """A front that answers, and its workers."""

    def __init__(self, zoo: Path, log: Path, **variables: str) -> None:
        self.log = log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with log.open("w") as written:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve"],
                cwd=ROOT,
                env=environment(zoo, HEED_PORT=str(port), **variables),
                stderr=written,
                start_new_session=True,
            )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.client.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def answers(self) -> bool:
        answer = self.client.post("/v1/translate", json=ASKED)
        return answer.status_code == 200 and answer.json()["results"][0]["text"] == ASKED["text"]

    def workers(self) -> list[int]:
        return [
            int(child)
            for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]


def until(condition: Callable[[], Any]) -> None:
    for _ in range(int(PATIENCE / 0.02)):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never happened")


@contextmanager
def serving(zoo: Path, log: Path, **variables: str) -> Iterator[Server]:
    server = Server(zoo, log, **variables)
    try:
        until(server.ready)
        yield server
    finally:
        server.client.close()
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()


def test_a_dead_worker_is_replaced_and_ctrl_c_ends_everybody_in_order(toys: Path, tmp_path) -> None:
    with serving(toys, tmp_path / "log", HEED_ENGINES="1") as server:
        (first,) = server.workers()
        assert server.answers()
        os.kill(first, signal.SIGKILL)
        assert server.answers(), "the request waits for the next worker"
        (second,) = server.workers()
        assert second != first
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(PATIENCE) in (0, 130)  # 0 where whoever runs the tests ignores ctrl-C
        assert not alive(second)
    logged = (tmp_path / "log").read_text()
    assert f"worker {first} died: signal 9" in logged
    assert f"worker {second} left (exit code 0)" in logged
    assert "Traceback" not in logged
    assert "house" not in logged


def test_workers_do_not_outlive_a_front_that_was_killed(toys: Path, tmp_path) -> None:
    with serving(toys, tmp_path / "log", HEED_ENGINES="2") as server:
        workers = server.workers()
        assert len(workers) == 2
        server.process.kill()
        until(lambda: not any(alive(worker) for worker in workers))


def test_with_link_local_there_are_no_workers(toys: Path, tmp_path) -> None:
    with serving(toys, tmp_path / "log", HEED_LINK="local") as server:
        assert server.answers()
        assert server.workers() == []
        server.process.terminate()
        assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM), "uvicorn sends itself the signal again"


@pytest.mark.parametrize("link", ["process", "local"])
def test_a_graph_that_cannot_be_loaded_is_one_line(tmp_path, link) -> None:
    from tests.fakes import tiny_bundle

    bundle = tiny_bundle(tmp_path, "toy-echo")
    ended = subprocess.run(
        [sys.executable, "-m", "service", "serve"],
        cwd=ROOT,
        env=environment(tmp_path, HEED_LINK=link),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 2
    assert f"heed: bad bundle: {bundle}" in ended.stderr and "onnxruntime cannot load it" in ended.stderr
    assert "Traceback" not in ended.stderr
