"""A cluster for all tests of this room, and who asks it. Knows nothing of how it is made: that is another process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.server import family, free_port
from tests.house.tree import ROOT
from tests.link import accidents
from tests.link.asking import alive, environment

PATIENCE = 240.0  # seconds until a test gives up: Ray starts in 10 to 50
CLIENTS = 16


class Town:
    """The running cluster."""

    def __init__(self, zoo: Path, folder: Path) -> None:
        self.port, self.journal = free_port(), folder / "journal"
        self.journal.touch()
        variables = {
            "HEED_PORT": str(self.port),
            "HEED_ROWS": "16",
            "HEED_QUEUE": "64",
            "HEED_MAX_TEXTS": "4",
            "HEED_HEARTBEAT_SECONDS": "10",
            "HEED_DEADLINE_SECONDS": "120",
            "HEED_DRAIN_SECONDS": "1",
            "HEED_RAY_ENGINES": "*@cpu=2",
            "HEED_RAY_FRONT_RESOURCE": "front",
            "HEED_RAY_PROXIES": "HeadOnly",
            accidents.STEP: "0.03",
            accidents.JOURNAL: str(self.journal),
        }
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.machines"],
            cwd=ROOT,
            env=environment(zoo, **variables),
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            start_new_session=True,
        )
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            timeout=PATIENCE,
            limits=httpx.Limits(max_connections=200),
        )
        self.raylets: list[int] = []

    def wait(self) -> None:
        """Until everything is deployed and every engine is found."""
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        self.log.seek(0)
        assert told, self.log.read()[-4000:]
        self.raylets = json.loads(told)["raylets"]
        until(self.ready)

    def ready(self) -> bool:
        return self.client.get("/health/ready").status_code == 200

    def engines(self) -> dict[int, int]:
        """Engine processes, and the raylet that started each."""
        found = {}
        for pid in family(self.process.pid):
            with contextlib.suppress(OSError):
                title = Path(f"/proc/{pid}/cmdline").read_text()
                parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
                if "heed:engine" in title and parent in self.raylets:
                    found[pid] = parent
        return found

    def steps(self) -> int:
        """Steps that engines have made, all together."""
        return len(self.journal.read_text().splitlines())

    def ask(self, text: str, **more: Any) -> httpx.Response:
        return self.client.post("/v1/translate", json={"text": text, "model": "toy-echo", **more})

    def stream(self, text: str, **more: Any) -> list[tuple[str, Any]]:
        """The events of a streamed answer."""
        found, kind = [], ""
        with self.client.stream("POST", "/v1/translate", json={"text": text, "stream": True, **more}) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                kind = value if name == "event" else kind
                if name == "data":
                    found.append((kind, json.loads(value)))
        return found

    def stop(self) -> list[str]:
        """End it; the commands of its processes that are left."""
        self.client.close()
        relatives = family(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            late = time.monotonic() + 20
            while any(alive(pid) for pid in relatives) and time.monotonic() < late:
                time.sleep(0.1)
            left = []
            for pid in filter(alive, relatives):
                title = Path(f"/proc/{pid}/cmdline").read_text()
                left += [] if "Agent" in title else [title]  # Ray's agents notice late that their machine is gone
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.log.close()
            if self.process.stdout is not None:
                self.process.stdout.close()
        return left


def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition."""
    late = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < late, "it never happened"
        time.sleep(0.05)


@pytest.fixture(scope="package")
def town(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Two engines, each on a machine of its own; two fronts on the head."""
    found = Town(toys, tmp_path_factory.mktemp("town"))
    try:
        found.wait()
        yield found
    finally:
        left = found.stop()
    assert not left, "processes outlived the cluster"


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    """So many clients at once."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        yield pool
