"""Connections, bounded below HTTP: how long a head may take, how large it may be, how many there are at once.

Knows nothing of requests' meaning. uvicorn bounds what an application can see; a client that connects and says
nothing, or sends a header a minute, or a header without an end, is never seen by one. Where there are too many, the
connection that has kept us waiting for longest goes: a request that is sent at once is always heard, however many
others say nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.joined import Joined

CLOSE = b"content-length: 0\r\nconnection: close\r\n\r\n"
TOO_LARGE, TOO_SLOW = (b"HTTP/1.1 %b\r\n%b" % (status, CLOSE) for status in (
    b"431 Request Header Fields Too Large", b"408 Request Timeout"
))  # fmt: skip
MOST_DISCARDED = 256 * 1024  # bytes of a body that are still read after its request was answered


@dataclass(frozen=True)
class Limits:
    """What a connection may do; the entry point fills it from the settings."""

    connections: int = 4096
    head_bytes: int = 32 * 1024
    head_fields: int = 100
    head_seconds: float = 10.0
    stalled_seconds: float = 30.0  # without reading what we send


@dataclass
class Connections:
    """Every connection of one listener; `waiting` are those that owe us something, longest first."""

    limits: Limits = field(default_factory=Limits)
    there: set[Connection] = field(default_factory=set)
    waiting: dict[Connection, None] = field(default_factory=dict)

    def protocol(self, **given: Any) -> Connection:
        """What uvicorn calls for each connection."""
        return Connection(self, **given)

    def come(self, one: Connection) -> None:
        """One more, for which another may have to go."""
        self.there.add(one)
        self.waits(one)
        if len(self.there) > self.limits.connections:
            next(iter(self.waiting)).transport.abort()  # there is one at least: the newcomer

    def waits(self, one: Connection) -> None:
        """It owes us a request from now on."""
        self.waiting.pop(one, None)
        self.waiting[one] = None

    def asked(self, one: Connection) -> None:
        """It has sent a whole request."""
        self.waiting.pop(one, None)

    def gone(self, one: Connection) -> None:
        """It is closed."""
        self.there.discard(one)
        self.waiting.pop(one, None)


class _TooLarge(Exception):
    """Ends the parsing of a head."""


class Connection(HttpToolsProtocol):
    """uvicorn's own, with bounds."""

    def __init__(self, book: Connections, **given: Any) -> None:
        super().__init__(**given)
        self.book, self.limits = book, book.limits
        self.in_head, self.refused = True, False
        self.head, self.fields, self.discarded = 0, 0, 0
        self.late: asyncio.TimerHandle | None = None
        self.stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]  # it stands in for one
        self._hurry(self.limits.head_seconds)
        self.book.come(self)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self.late, self.stalled):
            if timer is not None:
                timer.cancel()
        self.book.gone(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.refused:
            return
        self.head += len(data) if self.in_head else 0
        super().data_received(data)
        if self.in_head and self.head > self.limits.head_bytes:
            self._refuse(TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head, self.fields, self.discarded = True, 0, 0
        self.head = 0  # of this message: counted below, and in data_received where it comes in several pieces

    def on_url(self, url: bytes) -> None:
        self.fields += len(url)
        if self.fields > self.limits.head_bytes:
            self._refuse(TOO_LARGE)
            raise _TooLarge
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head:  # afterwards it is a trailer, which nobody reads
            self.fields += len(name) + len(value)
            if self.fields > self.limits.head_bytes or len(self.headers) >= self.limits.head_fields:
                self._refuse(TOO_LARGE)
                raise _TooLarge  # nothing more of this piece is parsed
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self.refused:
            return
        if self.late is not None:
            self.late.cancel()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if not self.refused:  # or it has its answer
            super().send_400_response(msg)

    def on_body(self, body: bytes) -> None:
        if self.refused:
            return
        if self.cycle.response_complete:
            self.discarded += len(body)
            if self.discarded > MOST_DISCARDED:
                self.transport.abort()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.refused:
            self.book.asked(self)
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_in(self.limits.stalled_seconds)  # what is unread then is not worth a connection
        elif self.cycle.response_complete:
            self.book.waits(self)
            self._hurry(self.timeout_keep_alive + self.limits.head_seconds)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._abort_in(self.limits.stalled_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._abort_in(self.limits.stalled_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.stalled is not None and not self.transport.is_closing():
            self.stalled.cancel()

    def _hurry(self, seconds: float) -> None:
        if self.late is not None:
            self.late.cancel()
        self.late = self.loop.call_later(seconds, self._refuse, TOO_SLOW)

    def _abort_in(self, seconds: float) -> None:
        if self.stalled is not None:
            self.stalled.cancel()
        self.stalled = self.loop.call_later(seconds, self.transport.abort)

    def _refuse(self, answer: bytes) -> None:
        """Say why, and hang up; whoever has sent nothing is told nothing."""
        self.refused = True
        if not self.transport.is_closing():
            if self.head or self.fields:
                self.transport.write(answer)
            self.transport.close()
            self._abort_in(self.limits.stalled_seconds)
