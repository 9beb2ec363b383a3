"""A cluster on one machine: a Ray head, so many workers of some cores each, and the service deployed on them.

Knows nothing of what is asked. Each "machine" is a raylet of its own with its own processes, so that one can be killed.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bench.server import NotServing, Server, family, free_port

LOGS = Path(".bench/logs")
ADDRESS = "127.0.0.{}"  # Ray takes 127.0.0.1 for the machine's address in its network; others it leaves alone
HEAD = ADDRESS.format(2)
STARTING = 120.0  # seconds until a machine must have joined
GRACE = 15.0  # seconds until one that was asked to stop is killed


class Running(NamedTuple):
    """A cluster that answers."""

    server: Server
    workers: list[subprocess.Popen[bytes]]  # the leaders of each worker machine's processes
    leaders: Sequence[int] = ()  # of everybody's: head, workers, and who deployed

    def engines(self) -> list[int]:
        """Processes of engines, on any machine."""
        return sorted(pid for worker in self.workers for pid in family(worker.pid) if "heed:engine" in _title(pid))

    def machine(self, number: int) -> list[int]:
        """Every process of a worker machine, its raylet first."""
        everybody = sorted(family(self.workers[number].pid))
        return sorted(everybody, key=lambda pid: "raylet" not in _title(pid))


class Machines:
    """How to start one, and the service as it is without."""

    def __init__(self, settings: Mapping[str, str], *, haproxy: bool = False) -> None:
        """settings: HEED_… in lower case."""
        told = {f"HEED_{name.upper()}": value for name, value in settings.items()}
        ours = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.environment = {**os.environ, **ours, **told}
        if haproxy:
            self.environment["RAY_SERVE_ENABLE_HA_PROXY"] = "1"

    def alone(self, engines: int) -> Server:
        """`serve`, not yet started: its engines are processes of this machine."""
        settings = {**self.environment, "HEED_ENGINES": str(engines), "HEED_PORT": "{port}"}
        command = [sys.executable, "-m", "service", "serve"]
        return Server(command, ready="/health/ready", log=LOGS / "alone.log", environment=settings)

    @contextmanager
    def cluster(self, engines: int, workers: int) -> Iterator[Running]:
        """`ray`, on a head with the fronts and so many worker machines."""
        port, started = free_port(), list[subprocess.Popen[bytes]]()
        LOGS.mkdir(parents=True, exist_ok=True)
        head = ["--head", f"--port={port}", "--num-cpus=0", '--resources={"front":1}', "--include-dashboard=false"]
        try:
            started.append(self._node("head", HEAD, *head))
            _joined(started[0])
            each = -(-engines // workers)
            for number in range(workers):
                started.append(
                    self._node(
                        f"worker-{number}", ADDRESS.format(3 + number), f"--address={HEAD}:{port}", f"--num-cpus={each}"
                    )
                )
                _joined(started[-1])
            with self._service(f"{HEAD}:{port}", engines) as server:
                everybody = [one for one in (*started, server.process) if one is not None]
                yield Running(server, started[1:], [one.pid for one in everybody])
        finally:
            for process in reversed(started):
                stop(process)

    def _service(self, address: str, engines: int) -> Server:
        settings = {
            **self.environment,
            "HEED_RAY_ADDRESS": address,
            "HEED_RAY_ENGINES": f"*@cpu={engines}",
            "HEED_RAY_FRONT_RESOURCE": "front",
            "HEED_RAY_PROXIES": "HeadOnly",
            "HEED_PORT": "{port}",
        }
        command = [sys.executable, "-m", "service", "ray"]
        return Server(command, ready="/health/ready", log=LOGS / "ray.log", environment=settings)

    def _node(self, name: str, address: str, *how: str) -> subprocess.Popen[bytes]:
        command = [str(Path(sys.executable).parent / "ray"), "start", "--block", f"--node-ip-address={address}", *how]
        with (LOGS / f"{name}.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603  the command is ours
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; what is left of its family after a while is killed."""
    relatives = family(process.pid) if process.poll() is None else {process.pid}
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    for pid in relatives:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def bind(pid: int, core: int) -> None:
    """Keep a process, with all of its threads, on one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), {core})


def spent(leaders: Sequence[int]) -> float:
    """Seconds of any core that these and all of their families have had."""
    ticks = 0
    for pid in {pid for leader in leaders for pid in family(leader)}:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _joined(process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTING
    while not any("raylet" in _title(pid) for pid in family(process.pid)):
        if process.poll() is not None or time.monotonic() > until:
            raise NotServing(f"a machine did not start; see {LOGS}")
        time.sleep(0.2)


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
