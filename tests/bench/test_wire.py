"""The small HTTP client against real sockets: bodies of both kinds, closed connections, and a whole run."""

from __future__ import annotations

import asyncio
import json
from typing import Self

import numpy as np
import pytest

from bench.load.drive import drive
from bench.load.wire import Broken, Connection, target
from tests.bench.toys import echoing


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class scripted:  # noqa: N801  used as a function
    """A server that says these things, one a request, on as many connections as it takes; None closes."""

    def __init__(self, *said: bytes | None, hang_up: bool = False) -> None:
        self.said, self.connections, self.hang_up = list(said), 0, hang_up

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.where = target(f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}", "/x")
        return self

    async def __aexit__(self, *error: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while self.said:
            try:
                await reader.readuntil(b"}")
            except asyncio.IncompleteReadError:
                break
            said = self.said.pop(0)
            if said is None:
                break
            writer.write(said)
            if self.hang_up:
                break
        writer.close()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: 1\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.anyio
async def test_bodies_with_a_length_and_in_chunks_are_read_to_their_end_on_one_connection() -> None:
    async with scripted(CHUNKED, PLAIN) as server:
        line = Connection(server.where)
        assert (await line.ask(server.where.request(b"{}"))).body == b"abcde"
        assert (await line.ask(server.where.request(b"{}"))).body == b"ok"
        line.close()
    assert server.connections == 1


@pytest.mark.anyio
async def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    async with scripted(PLAIN, None, PLAIN) as server:
        line = Connection(server.where)
        assert (await line.ask(server.where.request(b"{}"))).status == 200
        assert (await line.ask(server.where.request(b"{}"))).status == 200
        line.close()
    assert server.connections == 2


@pytest.mark.anyio
async def test_half_an_answer_is_none() -> None:
    async with scripted(PLAIN[:-1], hang_up=True) as server:
        line = Connection(server.where)
        with pytest.raises(Broken):
            await line.ask(server.where.request(b"{}"))
        line.close()


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="looks like"):
        target("localhost:8000", "/")


def test_a_whole_run_against_a_server_that_refuses_some() -> None:
    bodies = [json.dumps({"text": "busy" if i % 5 == 0 else "x" * i}).encode() for i in range(40)]
    with echoing() as url:
        where = target(url, "/v1/translate")
        requests = [where.request(one) for one in bodies]
        samples = drive(where, requests, np.linspace(0, 0.2, 40), connections=4, timeout=60)
    assert [one.status for one in samples] == [429 if i % 5 == 0 else 200 for i in range(40)]
    assert [one.size for one in samples] == [len(one) for one in bodies]
    assert all(one.scheduled <= one.sent <= one.ended for one in samples)
