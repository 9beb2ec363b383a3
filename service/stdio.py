"""Lines of files or of standard input, read as they come, by a thread that the event loop need not wait for.

Knows nothing of what is done with them. Lines end as Unix's or Windows' do; what is no UTF-8 shows as `�`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from service.errors import Malformed

AHEAD = 256  # lines read before somebody takes them


async def read(files: Sequence[Path]) -> AsyncIterator[str]:
    """Every line, without its end; of standard input, if there are no files.

    Raises:
        Malformed: a file cannot be read.
    """
    loop, room = asyncio.get_running_loop(), threading.Semaphore(AHEAD)
    come: asyncio.Queue[str | Exception | None] = asyncio.Queue()

    def tell(line: str | Exception | None) -> None:
        room.acquire()
        try:
            loop.call_soon_threadsafe(come.put_nowait, line)
        except RuntimeError:  # nobody listens any more
            raise SystemExit from None

    def work() -> None:
        try:
            for line in _lines(files):
                tell(line)
        except (OSError, Malformed) as broken:
            tell(broken)
        tell(None)

    threading.Thread(target=work, name="stdin", daemon=True).start()  # one that waits for input holds up no exit
    while (line := await come.get()) is not None:
        room.release()
        if isinstance(line, Exception):
            raise line
        yield line


def _lines(files: Sequence[Path]) -> Iterator[str]:
    if not files:
        with open(os.dup(sys.stdin.fileno()), "rb") as file:  # noqa: PTH123 - Python's own would be locked at its exit
            yield from _of(file)
    for path in files:
        try:
            with path.open("rb") as file:
                yield from _of(file)
        except OSError as missing:
            raise Malformed(f"{path}: {missing.strerror}") from None


def _of(file: BinaryIO) -> Iterator[str]:
    for line in file:
        yield line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")


def total(files: Sequence[Path]) -> int | None:
    """How many lines there will be, if that can be known."""
    if not files or not all(path.is_file() for path in files):
        return None
    return sum(sum(1 for _ in path.open("rb")) for path in files)
