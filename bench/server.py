"""A server as a process of its own: started on a free port, waited for, weighed, and stopped.

Knows nothing of what it serves.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 180.0  # seconds until a server must be ready
STOPPING = 10.0  # seconds until one that was asked to stop is killed; nobody waits for an answer then


class NotServing(RuntimeError):
    """The server ended, or never became ready."""


class Server:
    """A context that serves on `url`; "{port}" in the command or the environment is filled in."""

    def __init__(
        self, command: Sequence[str], *, ready: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.url, self.ready, self.log = f"http://127.0.0.1:{self.port}", ready, log
        self.command = [part.replace("{port}", str(self.port)) for part in command]
        filled = {name: value.replace("{port}", str(self.port)) for name, value in (environment or {}).items()}
        self.environment = {**os.environ, **filled}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start, and wait until it is ready.

        Raises:
            NotServing: it ended or took too long; its log says why.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  the command is the caller's own
                self.command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait(self.process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if process.poll() is not None:
                raise NotServing(f"ended with status {process.returncode}; see {self.log}")
            try:
                with urllib.request.urlopen(self.url + self.ready, timeout=5) as answer:  # noqa: S310  our own address
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise NotServing(f"not ready after {PATIENCE:.0f} s; see {self.log}")

    def stop(self) -> None:
        """Ask it to end; what is left of its family after a while is killed."""
        if self.process is None:
            return
        relatives = family(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOPPING)
        self.process.kill()
        self.process.wait()
        for pid in relatives - {self.process.pid}:
            with contextlib.suppress(ProcessLookupError):  # it went with its parent, as it should
                os.kill(pid, signal.SIGKILL)
        self.process = None

    def memory(self) -> float:
        """MB at the most, of all its processes together; pages that they share count in each."""
        if self.process is None:
            return 0.0
        return sum(_peak(pid) for pid in family(self.process.pid)) / 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def family(leader: int) -> set[int]:
    """A process that leads a session, all others in it, and all that descend from it, sessions of their own or not."""
    parents, found = {}, {leader}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        if int(fields[3]) == leader:
            found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _peak(pid: int) -> int:
    """The most memory a process ever held, in kB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
