"""One worker process as the front sees it: started, spoken to over a socket, and watched until it is gone.

Knows nothing of jobs or of why it is needed. Its end is the end of its socket, after everything it said was heard.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence

from service.link.frames import BadFrame, Frames
from service.link.words import Broken, Changed, Leaving, Ready, Word, heard, packed

log = logging.getLogger("heed.link")
LAST_BREATH = 1.0  # seconds in which a process that closed its socket may still tell its exit code


class Child(asyncio.Protocol):
    """Words go in by `tell`; those that come out go to `hear`."""

    def __init__(self, hear: Callable[[Child, Word], None]) -> None:
        self.hear = hear
        self.frames = Frames()
        self.out: list[bytes] = []
        self.transport: asyncio.WriteTransport | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.gone = asyncio.get_running_loop().create_future()
        self.born = self.heard_at = time.monotonic()
        self.ready = self.leaving = self.dismissed = False
        self.ready_at: float | None = None
        self.broken: Broken | None = None
        self.models: dict[str, int] = {}  # what it serves, and the resident bytes that each took
        self.answers = 0

    async def start(self, command: Sequence[str], environment: Mapping[str, str] | None) -> None:
        """Start the process, in a session of its own: ctrl-C goes to the front, which drains first.

        Raises:
            OSError: the system does not let us.
        """
        ours, theirs = socket.socketpair()
        try:
            number = str(theirs.fileno())
            self.process = await asyncio.create_subprocess_exec(
                *command,
                "--fd",
                number,
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            ours.setblocking(False)
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid if self.process else 0

    @property
    def open(self) -> bool:
        """Whether a job sent now would be worked on."""
        return self.ready and not self.leaving and not self.gone.done()

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

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal, if anybody is there to get it."""
        if self.process is not None and self.process.returncode is None:
            try:
                os.kill(self.process.pid, how)
            except ProcessLookupError:
                log.debug("worker %d was gone already", self.pid)

    def dismiss(self) -> None:
        """Ask it to leave, once: a second SIGTERM would meet a process that has put its handlers away."""
        if self.process is not None and not self.dismissed:
            self.dismissed = True
            self.kill(signal.SIGTERM)

    async def cause(self) -> str:
        """Wait until the process is gone; its exit code or signal in words."""
        if self.process is None:
            return "it could not be started"
        try:
            async with asyncio.timeout(LAST_BREATH):
                await self.process.wait()
        except TimeoutError:
            self.kill()
        code = await self.process.wait()
        return f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a socket's always is
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        try:
            for word in heard(self.frames, data):
                self._note(word)
                self.hear(self, word)
        except BadFrame as wrong:
            log.error("worker %d does not speak as agreed (%s): killed", self.pid, wrong)
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
