"""uvicorn, which drains the link from the first signal on, while the answers that were accepted are still being sent.

Knows nothing of requests. uvicorn's own order is to wait for every connection first, and to cut those that take too
long; so a stream that cannot be finished in time would never hear why.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from service.api.connections import Connections, Limits
from service.messages import Link

AT_ONCE, WAITING = 16, 2048  # connections accepted before anybody else is served; those that may wait for it
MARGIN = 2.0  # seconds after the drain, in which the last words are sent


def listening(
    app: ASGIApp, host: str, port: int, limits: Limits | None = None, proxies: Sequence[str] = ()
) -> uvicorn.Config:
    """How uvicorn listens for an app of ours; proxies: whose X-Forwarded-For is believed."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,  # ours has no query strings, which hold what users write, and no addresses
        log_config=None,
        server_header=False,
        proxy_headers=bool(proxies),  # uvicorn's own default believes everybody on this machine
        forwarded_allow_ips=list(proxies),
        http=Connections(limits or Limits()).protocol,  # type: ignore[arg-type]  # a callable is what it calls
        ws="none",
        backlog=AT_ONCE,
    )


class Server(uvicorn.Server):
    """For one link. The drain ends every job within its time, so connections are cut only where nobody reads them."""

    def __init__(self, config: uvicorn.Config, link: Link, drain_seconds: float) -> None:
        config.timeout_graceful_shutdown = math.ceil(drain_seconds + MARGIN)
        super().__init__(config)
        self.link, self.drain_seconds = link, drain_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. asyncio accepts as many connections in a row as may wait, so few may while it says so; then many."""
        await super().startup(sockets)
        for server in getattr(self, "servers", []):
            for one in server.sockets:
                with socket.socket(fileno=os.dup(one.fileno())) as same:
                    same.listen(WAITING)

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
