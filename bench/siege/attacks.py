"""The attacks, each a crowd of clients that do one bad thing until the time is over.

Knows nothing of who else asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from itertools import cycle
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from bench.load.wire import target
from bench.siege import bombs

Found = Counter[str]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Client = Callable[["Siege", int], Coroutine[Any, Any, None]]
NICE = 5  # attackers use a machine of their own, as a rule
GATHERING = 40.0  # seconds at the most, in which a crowd comes together
GIGABYTE, CHUNK = 2**30, bytes(256 * 1024)


class Attack(NamedTuple):
    """What each of so many clients does again and again."""

    what: str
    clients: int
    client: Client
    pause: float = 0.05  # seconds before a client that was turned away comes again


class Siege:
    """Where, until when, and what became of it."""

    def __init__(self, url: str, until: float) -> None:
        self.where, self.until, self.found = target(url, "/"), until, Found()

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self.until - time.monotonic())

    async def connect(self) -> Streams:
        """A connection, counted."""
        streams = await asyncio.open_connection(self.where.host, self.where.port)
        self.found["connections"] += 1
        return streams

    def head(self, path: str, *lines: str) -> bytes:
        """The head of a POST."""
        return "\r\n".join((f"POST {path} HTTP/1.1", "host: heed", *lines, "", "")).encode()

    async def drip(self, first: bytes, drop: bytes, pause: float) -> None:
        """Send a beginning, then a drop after each pause, until the other side has enough."""
        reader, writer = await self.connect()
        try:
            writer.write(first)
            while self.left() and not reader.at_eof():
                with contextlib.suppress(TimeoutError):
                    answer = await asyncio.wait_for(reader.read(4096), min(pause, self.left()))
                    self.saw(answer)
                    return
                writer.write(drop)
        finally:
            writer.close()

    async def send(self, pieces: Sequence[bytes], *, patience: float = 30.0) -> None:
        """Send it all as fast as it goes, and read what comes."""
        reader, writer = await self.connect()
        try:
            reading = asyncio.create_task(reader.read(4096))
            for piece in pieces:
                if reading.done() or not self.left():
                    break
                writer.write(piece)
                await writer.drain()
                self.found["MB"] += len(piece) >> 20
            self.saw(await asyncio.wait_for(reading, min(patience, self.left() + 1)))
        finally:
            reading.cancel()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await reading
            writer.close()

    def saw(self, answer: bytes) -> None:
        """Count a status."""
        self.found[answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "closed"] += 1


async def _idle(siege: Siege, _: int) -> None:
    await siege.drip(b"", b"", 3600)


async def _slow_head(siege: Siege, _: int) -> None:
    await siege.drip(b"POST /v1/translate HTTP/1.1\r\nhost: heed\r\nx-a: ", b"a", 1)


async def _slow_body(siege: Siege, _: int) -> None:
    head = siege.head("/v1/translate", "content-type: application/json", "content-length: 1000000")
    await siege.drip(head + b"{", b" ", 1)


async def _large(siege: Siege, number: int) -> None:
    """Odd ones say how much they send, the others do not; each sends a gigabyte in the end if it is let."""
    if number % 2:
        head = siege.head("/v1/translate", "content-type: application/json", f"content-length: {GIGABYTE}")
        await siege.send([head, *[CHUNK] * (GIGABYTE // len(CHUNK))])
        return
    head = siege.head("/v1/translate", "content-type: application/json", "transfer-encoding: chunked")
    piece = b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)
    await siege.send([head, *[piece] * (GIGABYTE // len(CHUNK))])


async def _heads(siege: Siege, number: int) -> None:
    """Ten thousand headers, one of a megabyte, or one that never ends."""
    many = "".join(f"x-{i}: {i}\r\n" for i in range(10_000)).encode()
    long = b"x-a: " + b"a" * 2**20
    begin = b"POST /v1/translate HTTP/1.1\r\nhost: heed\r\n"
    await siege.send([begin, *((many, b"\r\n"), (long, b"\r\n\r\n"), [CHUNK] * 400)[number % 3]])


async def _bombs(siege: Siege, number: int) -> None:
    """Each client has its turn at every bomb."""
    made = bombs.ALL
    for media, body in made[number % len(made) :] + made[: number % len(made)]:
        if siege.left():
            path = "/v1/caption" if media.startswith(("image", "multipart")) else "/v1/translate"
            await siege.send([siege.head(path, f"content-type: {media}", f"content-length: {len(body)}"), body])


async def _unread(siege: Siege, _: int) -> None:
    """Asks for a large answer four times over, and reads none."""
    silent = (await siege.connect())[1]
    try:
        silent.write(b"GET /openapi.json HTTP/1.1\r\nhost: heed\r\n\r\n" * 4)
        await asyncio.sleep(min(5.0, siege.left()))
    finally:
        silent.transport.abort()


ATTACKS = {
    "idle": Attack("10,000 connections that say nothing", 10_000, _idle, 1.0),
    "head": Attack("1,000 clients that send a byte of a header a second", 1000, _slow_head, 1.0),
    "body": Attack("1,000 clients that send a byte of a body a second", 1000, _slow_body, 1.0),
    "large": Attack("bodies of 1 GB, announced or not", 4, _large),
    "heads": Attack("10,000 headers, one of 1 MB, one without end", 6, _heads),
    "bombs": Attack("pictures, JSON and forms that are small and become large", 4, _bombs),
    "unread": Attack("large answers that nobody reads", 50, _unread),
}


def besiege(name: str, url: str, seconds: float, crowd: float, pipe: Connection) -> None:
    """Run an attack; tells once when it has begun, and in the end what it saw."""
    os.nice(NICE)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bombs.prepare() if name == "bombs" else None
    pipe.send(asyncio.run(_crowd(ATTACKS[name], url, seconds, crowd, pipe)))


async def _crowd(attack: Attack, url: str, seconds: float, crowd: float, pipe: Connection) -> Found:
    """Gather, say so, and go on for so long."""
    siege, clients = Siege(url, time.monotonic() + GATHERING + seconds), max(1, round(attack.clients * crowd))
    numbers = cycle(range(clients))
    standing, most = 0, 0

    async def client() -> None:
        nonlocal standing, most
        while siege.left():
            try:
                standing += 1
                most = max(most, standing)
                await attack.client(siege, next(numbers))
            except (OSError, TimeoutError) as gone:
                siege.found[type(gone).__name__] += 1
            finally:
                standing -= 1
            await asyncio.sleep(min(attack.pause, siege.left()))

    tasks = []
    for _ in range(clients):
        tasks.append(asyncio.create_task(client()))
        if len(tasks) % 100 == 0:
            await asyncio.sleep(0.02)  # a crowd arrives within two seconds, not within one accept queue
    while standing < 0.98 * clients and siege.left() > seconds:  # noqa: ASYNC110  no one event says so
        await asyncio.sleep(0.05)
    siege.until = time.monotonic() + seconds
    pipe.send(Found())
    _, late = await asyncio.wait(tasks, timeout=seconds + 1)  # who says nothing would wait until the server hangs up
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    siege.found["at_once"] = most
    return siege.found
