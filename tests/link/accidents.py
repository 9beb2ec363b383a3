"""A worker that meets with accidents: what a source begins with, or a variable, says which. For tests alone.

Knows nothing of what the front makes of it. Everything else is the real worker and the real engine.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bundle.manifest import Bundle
from service.engine.catalog import Catalog
from service.engine.session import Session
from service.settings import Settings
from service.worker import run

POISON = 101  # a piece that no guest has: the worker is killed when it encodes it
BREAKS = 102  # another: its loop dies
HANGS = 103  # another: its loop hangs in a step, once
BLOCKED = "ACCIDENT_BLOCKED"  # a file: while it is there, a worker that starts hangs ("hang") or exits ("exit")
STEP = "ACCIDENT_STEP_SECONDS"  # how long each step takes at least
JOURNAL = "ACCIDENT_JOURNAL"  # a file that gets a line for each step
SILENT = "ACCIDENT_SILENT"  # set: a loop ends at its first step, and says nothing to anybody
LOADING = "ACCIDENT_LOADING"  # a file that says what becomes of the next load while others are served: "hang", "die"
BROKE = "ACCIDENT_BROKE"  # a file that notes that a loop has died or hung: it happens once


def install() -> None:
    """Put the accidents into the session."""
    encode, step = Session.encode, Session.step

    def risky(self: Session, inputs: Sequence[Any]) -> Any:
        first = {int(one["source"][0]) for one in inputs}
        if POISON in first:
            os.kill(os.getpid(), signal.SIGKILL)
        for piece, accident in ((BREAKS, broken), (HANGS, hanging)):
            if piece in first and not Path(os.environ[BROKE]).exists():
                Path(os.environ[BROKE]).touch()
                Session.step = accident  # type: ignore[method-assign]
        return encode(self, inputs)

    def slow(self: Session, *given: Any, **named: Any) -> Any:
        if SILENT in os.environ:
            raise SystemExit
        time.sleep(float(os.environ.get(STEP, "0")))
        if JOURNAL in os.environ:
            with Path(os.environ[JOURNAL]).open("a") as journal:
                journal.write("step\n")
        return step(self, *given, **named)

    def broken(self: Session, *given: Any, **named: Any) -> dict[str, np.ndarray]:
        raise RuntimeError("the graph broke")

    def hanging(self: Session, *given: Any, **named: Any) -> dict[str, np.ndarray]:
        time.sleep(3600)
        raise RuntimeError("nobody waits so long")

    install_risky_load()
    Session.encode, Session.step = risky, slow  # type: ignore[method-assign]


def install_risky_load() -> None:
    """Put the accidents into the catalog."""
    load = Catalog.load

    def risky_load(self: Catalog, bundle: Bundle) -> None:
        if (accident := taken(Path(os.environ.get(LOADING, "/nonexistent")))) == "hang":
            time.sleep(3600)
        elif accident == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        load(self, bundle)

    Catalog.load = risky_load  # type: ignore[method-assign]


def taken(note: Path) -> str:
    """What a file says; the first who reads it takes it away."""
    mine = note.with_suffix(f".{os.getpid()}")
    try:
        note.rename(mine)
    except FileNotFoundError:
        return ""
    return mine.read_text()


def main() -> int:
    """Stand in for `python -m service worker`."""
    blocked = Path(os.environ.get(BLOCKED, "/nonexistent"))
    while blocked.exists():
        if blocked.read_text() == "exit":
            return 3
        time.sleep(0.05)
    install()
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int)
    parser.add_argument("--models", default="")
    asked = parser.parse_args()
    return run(Settings(), asked.fd, asked.models.split(",") if asked.models else None)


if __name__ == "__main__":
    sys.exit(main())
