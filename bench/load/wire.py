"""HTTP/1.1 over one kept-alive connection, as little of it as a load generator needs.

Knows nothing of schedules or figures. A general client costs several times as much and would share the server's cores.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from urllib.parse import urlsplit


class Reply(NamedTuple):
    """An answer, read to its end."""

    status: int
    body: bytes


class Broken(Exception):
    """No whole answer came."""


class Target(NamedTuple):
    """Where requests go, and their first lines."""

    host: str
    port: int
    head: bytes

    def request(self, body: bytes) -> bytes:
        """A whole POST of JSON."""
        return self.head + b"%d\r\n\r\n%b" % (len(body), body)


def target(url: str, path: str) -> Target:
    """POST to a path of http://HOST:PORT.

    Raises:
        ValueError: not such an address.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"{url}: an address looks like http://127.0.0.1:8000")
    lines = (f"POST {path} HTTP/1.1", f"host: {parts.netloc}", "content-type: application/json", "content-length: ")
    return Target(parts.hostname, parts.port or 80, "\r\n".join(lines).encode())


class Connection:
    """One connection, opened when first used and again where the server closed it."""

    def __init__(self, where: Target) -> None:
        self.where = where
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> Reply:
        """Send a request and read its answer; asked once more where a kept connection turns out to be closed.

        Raises:
            Broken: no connection, or no whole answer.
        """
        used = self.reader is not None and not self.reader.at_eof()
        try:
            return await self._once(request)
        except _Closed:
            if not used:
                raise
            return await self._once(request)

    async def _once(self, request: bytes) -> Reply:
        try:
            if self.reader is None or self.writer is None or self.reader.at_eof():
                self.close()
                self.reader, self.writer = await asyncio.open_connection(self.where.host, self.where.port)
            self.writer.write(request)
            return await self._reply(self.reader)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as lost:
            self.close()
            nothing = isinstance(lost, OSError) or (isinstance(lost, asyncio.IncompleteReadError) and not lost.partial)
            raise (_Closed if nothing else Broken)(str(lost)) from lost

    async def _reply(self, reader: asyncio.StreamReader) -> Reply:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if fields.get("transfer-encoding") == "chunked":
            body = await _chunks(reader)
        else:
            body = await reader.readexactly(int(fields.get("content-length", 0)))
        if fields.get("connection", "").lower() == "close":
            self.close()
        return Reply(int(first.split(" ", 2)[1]), body)

    def close(self) -> None:
        """Hang up."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


def length(head: bytes) -> int:
    """What an answer's head says of its body's bytes.

    Raises:
        Broken: it says nothing of them.
    """
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise Broken("an answer without a length")


class _Closed(Broken):
    """The connection ended before a byte of the answer came."""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A chunked body, trailers dropped."""
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return body
