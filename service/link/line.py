"""A line to one engine: words go out by `tell`, those that come in go to `hear`; what is known of the far end.

Knows nothing of processes, addresses or jobs. Its end is the end of its socket, after everything it said was heard.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast

from service.link.frames import BadFrame, Frames
from service.link.words import Beat, Broken, Changed, Leaving, Ready, Word, heard, packed

log = logging.getLogger("heed.link")


class Line(asyncio.Protocol):
    """One socket, for as long as it lasts."""

    def __init__(self, hear: Callable[[Any, Word], None]) -> None:
        """hear: is called with this line and each word."""
        self.hear = hear
        self.frames = Frames()
        self.out: list[bytes] = []
        self.transport: asyncio.WriteTransport | None = None
        self.gone = asyncio.get_running_loop().create_future()
        self.born = self.heard_at = time.monotonic()
        self.ready = self.leaving = False
        self.ready_at: float | None = None
        self.broken: Broken | None = None
        self.models: dict[str, int] = {}  # what it serves, and the resident bytes that each took
        self.answers = 0

    @property
    @abstractmethod
    def name(self) -> str:
        """Of the far end, for the log."""

    @abstractmethod
    def kill(self) -> None:
        """Have nothing more to do with the far end."""

    @property
    def open(self) -> bool:
        """Whether a job sent now would be worked on."""
        return self.ready and not self.leaving and not self.gone.done()

    async def watch(self, heartbeat: float, start: float) -> None:
        """Beat, and listen for beats, until the far end is gone; heartbeat, start: seconds of silence that are death.

        start: in all, before it is ready.
        """
        tick = heartbeat / 4
        while not self.gone.done():
            before = time.monotonic()
            await asyncio.wait({self.gone}, timeout=tick)
            now = time.monotonic()
            if now - before > 2 * tick:
                continue  # this very process was held up, and what the far end said is not read yet
            since, most = (self.heard_at, heartbeat) if self.ready else (self.born, start)
            if not self.gone.done() and now - since > most:
                log.error("%s has been silent for %.1f s: killed", self.name, now - since)
                self.kill()
            elif self.ready:
                self.tell(Beat())

    def tell(self, word: Word) -> None:
        """Send a word; all words of one turn of the event loop go out in one piece.

        Raises:
            BadFrame: it is too large.
        """
        frame = packed(word)
        if not self.out:
            asyncio.get_running_loop().call_soon(self._flush)
        self.out.append(frame)

    def _flush(self) -> None:
        data, self.out = b"".join(self.out), []
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # a socket's always is, whatever loop runs it

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        try:
            for word in heard(self.frames, data):
                self._note(word)
                self.hear(self, word)
        except BadFrame as wrong:
            log.error("%s does not speak as agreed (%s): killed", self.name, wrong)
            self.kill()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    def _note(self, word: Word) -> None:
        if isinstance(word, Ready):
            self.ready, self.ready_at, self.models = True, time.monotonic(), word.models
        elif isinstance(word, Changed):
            self.models = word.models
        elif isinstance(word, Leaving):
            self.leaving = True
        elif isinstance(word, Broken):
            self.broken = word
