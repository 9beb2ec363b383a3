"""Clients that a web framework never sees: those that say nothing, or a little now and then, or far too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn.server import ServerState

from service.api.connections import MOST_DISCARDED, Connections, Limits
from service.api.joined import Joined
from service.api.server import listening

pytestmark = pytest.mark.anyio
ASK = b"GET / HTTP/1.1\r\nhost: heed\r\n\r\n"
PATIENT = Limits(head_seconds=60, stalled_seconds=60)


class App:
    """Remembers what it was asked; answers with `size` bytes, and without reading the body if it does not read."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.size, self.reads, self.left = 0, True, asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        more = self.reads
        while more:
            message = await receive()
            more = message.get("more_body", False)
        self.heard.append(scope)
        body = bytes(self.size) or b"fine"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})
        if self.size and (await receive())["type"] == "http.disconnect":
            self.left.set()


class Listener:
    """A server on a port of its own."""

    def __init__(self, port: int, app: App, book: Connections) -> None:
        self.port, self.app, self.book = port, app, book

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def told(self, *pieces: bytes) -> bytes:
        """What is answered until the server hangs up, after all these were sent or it would hear no more."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionResetError:
            return b"reset"
        finally:
            writer.close()

    async def answers(self) -> bool:
        reader, writer = await self.connect()
        writer.write(ASK)
        try:
            return (await asyncio.wait_for(reader.read(15), 20)).startswith(b"HTTP/1.1 200")
        finally:
            writer.close()


@asynccontextmanager
async def listener(limits: Limits) -> AsyncIterator[Listener]:
    app, book = App(), Connections(limits)
    config = listening(app, "127.0.0.1", 0, limits)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: book.protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield Listener(server.sockets[0].getsockname()[1], app, book)
    finally:
        server.close()
        for one in list(book.there):
            one.transport.abort()
        await asyncio.sleep(0)


def status(answer: bytes) -> bytes:
    return answer[9:12]


async def test_ordinary_requests_are_answered_one_after_another_on_a_connection() -> None:
    async with listener(PATIENT) as one:
        reader, writer = await one.connect()
        for _ in range(3):
            writer.write(ASK)
            await reader.readuntil(b"fine")
        writer.write(ASK * 3)  # pipelined
        for _ in range(3):
            await reader.readuntil(b"fine")
        assert len(one.app.heard) == 6
        assert list(one.book.waiting) == list(one.book.there)
        writer.close()


HEADS = {
    "one header too large": [b"GET / HTTP/1.1\r\nx: " + b"a" * 5000 + b"\r\n\r\n"],
    "too many headers": [b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n"],
    "a header without end": [b"GET / HTTP/1.1\r\nx: ", *[b"a" * 1000] * 50],
    "an address without end": [b"GET /", *[b"a" * 1000] * 50],
    "headers without end": [b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 2000],
    "no word at all": [b"\0" * 3000],
}


@pytest.mark.parametrize("pieces", HEADS.values(), ids=HEADS)
async def test_a_head_that_is_too_much_is_refused_and_never_reaches_the_application(pieces) -> None:
    async with listener(Limits(head_bytes=2048, head_fields=20, head_seconds=60)) as one:
        answer = await one.told(*pieces)
        assert answer == b"reset" or status(answer) in (b"431", b"400")
        assert not one.app.heard
        assert await one.answers()


async def test_a_large_head_says_431() -> None:
    async with listener(Limits(head_bytes=2048, head_seconds=60)) as one:
        answer = await one.told(HEADS["one header too large"][0])
        assert status(answer) == b"431" and b"connection: close" in answer


async def test_a_head_that_takes_too_long_says_408_and_silence_is_answered_with_silence() -> None:
    async with listener(Limits(head_seconds=0.05)) as one:
        assert status(await one.told(b"GET / HT")) == b"408"
        assert await one.told() == b""


async def test_a_kept_connection_has_as_long_for_its_next_head_and_no_longer() -> None:
    async with listener(Limits(head_seconds=0.05)) as one:
        reader, writer = await one.connect()
        while not one.book.there:  # noqa: ASYNC110 - accepting has no event
            await asyncio.sleep(0.001)
        (connection,) = one.book.there
        connection.timeout_keep_alive = 0.05  # type: ignore[assignment]
        writer.write(ASK + b"GET / HTTP/1.1\r\nx: ")
        await reader.readuntil(b"fine")
        while one.book.there:
            writer.write(b"a")  # each byte is news to uvicorn, which would wait for ever
            await asyncio.sleep(0.005)
        writer.close()


async def test_where_there_are_too_many_the_longest_silent_goes_and_who_asks_is_heard() -> None:
    async with listener(Limits(connections=3, head_seconds=60)) as one:
        silent = [await one.connect() for _ in range(3)]
        while len(one.book.there) < 3:  # noqa: ASYNC110 - accepting has no event
            await asyncio.sleep(0.001)
        assert await one.answers()
        assert await asyncio.wait_for(silent[0][0].read(), 20) == b"", "the first has gone"
        assert len(one.book.there) <= 3
        for _, writer in silent:
            writer.close()


async def test_a_slow_body_counts_as_silence() -> None:
    async with listener(Limits(connections=1, head_seconds=60)) as one:
        reader, writer = await one.connect()
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\na")
        await asyncio.sleep(0.05)
        assert await one.answers()
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


async def test_who_reads_nothing_is_cut_off() -> None:
    async with listener(Limits(head_seconds=60, stalled_seconds=0.05)) as one:
        one.app.size = 50_000_000
        _, writer = await one.connect()
        writer.write(ASK)
        await asyncio.wait_for(one.app.left.wait(), 20)
        while one.book.there:  # noqa: ASYNC110 - closing has no event
            await asyncio.sleep(0.001)
        writer.close()


async def test_a_body_that_nobody_wants_is_read_a_little_and_then_no_more() -> None:
    async with listener(PATIENT) as one:
        one.app.reads = False
        head = b"POST / HTTP/1.1\r\ncontent-length: 1000000000\r\n\r\n"
        answer = await one.told(head, *[bytes(65536)] * (4 * MOST_DISCARDED // 65536))
        assert answer == b"reset" or status(answer) == b"200"
        assert not one.book.there


async def test_trailers_are_not_headers() -> None:
    async with listener(PATIENT) as one:
        head = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"
        reader, writer = await one.connect()
        writer.write(head + b"0\r\nauthorization: swordfish\r\n\r\n")
        await reader.readuntil(b"fine")
        assert [name for name, _ in one.app.heard[0]["headers"]] == [b"transfer-encoding"]
        writer.close()


async def test_nobody_is_believed_about_addresses_unless_they_are_named() -> None:
    assert not listening(App(), "127.0.0.1", 0).proxy_headers
    named = listening(App(), "127.0.0.1", 0, proxies=["10.0.0.0/8"])
    assert named.proxy_headers and named.forwarded_allow_ips == ["10.0.0.0/8"]


async def test_an_answer_goes_out_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    write = asyncio.selector_events._SelectorSocketTransport.write  # type: ignore[attr-defined]

    def counted(self: Any, data: bytes) -> None:
        sent.append(bytes(data))
        write(self, data)

    async with listener(PATIENT) as there:
        monkeypatch.setattr("asyncio.selector_events._SelectorSocketTransport.write", counted)
        assert await there.answers()
    (answer,) = [one for one in sent if one.startswith(b"HTTP/1.1 200")]
    assert answer.endswith(b"\r\n\r\nfine")


class Wire:
    """A transport that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.gone = False

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("close")
        self.gone = True

    def abort(self) -> None:
        self.told.append("abort")
        self.gone = True

    def is_closing(self) -> bool:
        return self.gone


async def test_a_turn_is_one_write_and_nothing_is_said_after_the_end() -> None:
    wire = Wire()
    joined = Joined(wire, asyncio.get_running_loop())  # type: ignore[arg-type]
    for word in (b"a", b"b"):
        joined.write(word)
    assert wire.told == []
    await asyncio.sleep(0)
    joined.write(b"c")
    await asyncio.sleep(0)
    assert wire.told == [b"ab", b"c"]
    joined.write(b"last")
    joined.close()
    await asyncio.sleep(0)
    assert wire.told[2:] == [b"last", "close"], "what was written is sent first"
    joined.write(b"too late")
    await asyncio.sleep(0)
    assert len(wire.told) == 4 and joined.is_closing()
    cut = Wire()
    joined = Joined(cut, asyncio.get_running_loop())  # type: ignore[arg-type]
    joined.write(b"never read")
    joined.abort()
    await asyncio.sleep(0)
    assert cut.told == ["abort"]
