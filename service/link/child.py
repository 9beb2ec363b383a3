"""One worker process as the front sees it: started, spoken to over a socket, and watched until it is gone.

Knows nothing of jobs or of why it is needed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence

from service.link.line import Line
from service.link.words import Word

log = logging.getLogger("heed.link")
LAST_BREATH = 1.0  # seconds in which a process that closed its socket may still tell its exit code


class Child(Line):
    """A line to a process that we have started."""

    def __init__(self, hear: Callable[[Child, Word], None]) -> None:
        super().__init__(hear)
        self.process: asyncio.subprocess.Process | None = None
        self.dismissed = False

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
    def name(self) -> str:
        """See `Line.name`."""
        return f"worker {self.pid}"

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
