"""Clients who vanish from a real server, by real sockets, leave nothing behind; and a drain that real clients see."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from service.api.app import create_app
from service.api.server import Server
from tests.api.asking import GOOD
from tests.api.raw import Raw, until
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
CLIENTS = 200


@asynccontextmanager
async def serving(link: FakeLink, **options: Any) -> AsyncIterator[Server]:
    """A server of its own on a free port."""
    app = create_app(link, max_requests=CLIENTS, **options)
    server = Server(uvicorn.Config(app, port=0, access_log=False, log_config=None), link, options["drain_seconds"])
    task = asyncio.create_task(server._serve())  # not serve(): signals are the tests' own
    await until(lambda: server.started)
    try:
        yield server
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 30)


class Caller:
    """A client by a bare socket."""

    async def ask(self, server: Server, **asked: Any) -> Caller:
        port = server.servers[0].sockets[0].getsockname()[1]
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps({**GOOD, "stream": True, **asked}).encode()
        self.writer.write(b"POST /v1/translate HTTP/1.1\r\nHost: heed\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        return self

    async def until(self, words: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(words), 20)

    def vanish(self) -> None:
        """Reset the connection: no goodbye."""
        name = self.writer.get_extra_info("socket")
        name.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def nobody_is_left(link: FakeLink, before: set[asyncio.Task[Any]]) -> None:
    await until(lambda: not link.seated and asyncio.all_tasks() <= before)


async def test_two_hundred_clients_who_vanish_in_mid_stream_leave_nothing_behind(link) -> None:
    link.halt = 2
    async with serving(link, drain_seconds=20) as server:
        before = asyncio.all_tasks()
        callers = [await Caller().ask(server, beam_size=1 + i % 2) for i in range(CLIENTS)]
        await asyncio.gather(*(one.until(b"id: 1\n\n") for one in callers))
        assert len(link.seated) == CLIENTS
        for one in callers:
            one.vanish()
        await nobody_is_left(link, before)
        assert len(link.cancelled) == CLIENTS
        link.halt = None  # every place is free again
        for one in [await Caller().ask(server) for _ in range(CLIENTS)]:
            assert b"event: done" in await one.until(b"\r\n0\r\n\r\n")
            one.writer.close()


async def test_clients_who_vanish_before_the_first_token_free_their_slots_too(link) -> None:
    link.hang = True
    async with serving(link, drain_seconds=20) as server:
        before = asyncio.all_tasks()
        callers = [await Caller().ask(server) for _ in range(20)]
        await link.arrivals(20)
        for one in callers:
            one.vanish()
        await nobody_is_left(link, before)
        assert len(link.cancelled) == 20


async def test_a_client_of_any_server_who_leaves_is_noticed(link) -> None:
    """By ASGI alone: some servers send http.disconnect in other moments than uvicorn does."""
    link.halt = 2
    app = create_app(link)
    async with app.router.lifespan_context(app):
        clients = [Raw(app, stream=True) for _ in range(CLIENTS // 2)]
        for one in clients:
            await one.said(1)
            one.leave()
        await asyncio.gather(*(one.over() for one in clients))
    assert sorted(link.cancelled) == sorted(job.id for job in link.jobs)
    assert not link.seated
    assert not any(one.complete for one in clients)


async def test_a_drain_tells_those_who_listen_and_ends_their_connections_cleanly(link) -> None:
    link.halt = 1
    async with serving(link, drain_seconds=20) as server:
        caller = await Caller().ask(server, beam_size=1)
        await caller.until(b"id: 1\n\n")
        server.should_exit = True
        rest = await caller.until(b"\r\n0\r\n\r\n")  # the end of a chunked body, not of a connection
        assert b'"code":"draining"' in rest
        assert await caller.reader.read() == b""
        caller.writer.close()


async def test_a_drain_lets_those_finish_who_can(link, monkeypatch) -> None:
    link.pace = asyncio.Semaphore(0)
    stop = link.drain

    async def patient(seconds: float) -> None:
        for _ in range(5):
            link.pace.release()
        await until(lambda: not link.seated)
        await stop(seconds)

    monkeypatch.setattr(link, "drain", patient)
    async with serving(link, drain_seconds=20) as server:
        caller = await Caller().ask(server, beam_size=1)
        await caller.until(b"id: 0\n\n")
        server.should_exit = True
        rest = await caller.until(b"\r\n0\r\n\r\n")
        assert b"event: done" in rest
        assert b"error" not in rest
        caller.writer.close()
