"""uvicorn, which drains the link from the first signal on, while the answers that were accepted are still being sent.

Knows nothing of requests. uvicorn's own order is to wait for every connection first, and to cut those that take too
long; so a stream that cannot be finished in time would never hear why.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from service.messages import Link

MARGIN = 2.0  # seconds after the drain, in which the last words are sent


class Server(uvicorn.Server):
    """For one link. The drain ends every job within its time, so connections are cut only where nobody reads them."""

    def __init__(self, config: uvicorn.Config, link: Link, drain_seconds: float) -> None:
        config.timeout_graceful_shutdown = math.ceil(drain_seconds + MARGIN)
        super().__init__(config)
        self.link, self.drain_seconds = link, drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, drain, wait for the connections, end the application."""
        draining = asyncio.create_task(self.link.drain(self.drain_seconds))
        await super().shutdown(sockets)
        await draining


class Beside(uvicorn.Server):
    """One more listener in the same process: signals are for the first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of them."""
        yield


@asynccontextmanager
async def beside(config: uvicorn.Config | None) -> AsyncIterator[None]:
    """Another listener, if there is to be one, for as long as the context lasts.

    Raises:
        SystemExit: its address is taken; uvicorn has said so.
    """
    if config is None:
        yield
        return
    sock = config.bind_socket()
    server = Beside(config)
    serving = asyncio.create_task(server.serve([sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
