"""Servers are started, waited for and stopped, whatever they started themselves."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bench.server import NotServing, Server, family

WITH_A_CHILD = """
import http.server, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, os.environ["GREETING"], flush=True)
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""


def test_a_server_is_ready_when_it_is_entered_and_leaves_nobody_behind(tmp_path: Path) -> None:
    log = tmp_path / "logs/server.log"
    command = [sys.executable, "-c", WITH_A_CHILD, "{port}"]
    with Server(command, ready="/", log=log, environment={"GREETING": "from {port}"}) as server:
        with urllib.request.urlopen(server.url) as answer:  # noqa: S310  our own address
            assert answer.status == 200
        pid, _, greeting = log.read_text().split("\n")[0].partition(" ")
        assert greeting == f"from {server.port}"
        assert server.process is not None and int(pid) in family(server.process.pid)
        assert server.memory() > 0
    until = time.monotonic() + 20
    while alive(int(pid)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(int(pid))


def alive(pid: int) -> bool:
    """Whether a process is there, and not only waiting to be buried."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_server_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    with (
        pytest.raises(NotServing, match="status 3"),
        Server([sys.executable, "-c", "raise SystemExit(3)"], ready="/", log=tmp_path / "log"),
    ):
        pass


def test_strangers_are_no_family() -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        assert family(stranger.pid) == {stranger.pid}
    finally:
        stranger.kill()
        stranger.wait()
