"""The intake: a body is read to its end, within a size and a time, before anybody spends anything on its request.

Knows nothing of what bodies mean. Who sends slowly holds no place at the desk, only the bytes that came so far; when
all such bytes together are too many, those who have been sending for longest are cut off, not those who come. So a
thousand clients that send a byte a second cost a thousand connections, and keep nobody out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import TooLarge, TooSlow


class Intake:
    """ASGI middleware; raises TooLarge and TooSlow, which somebody outside must turn into an answer."""

    def __init__(
        self, app: ASGIApp, *, limit: int, seconds: float, together: int, limits: Mapping[str, int] | None = None
    ) -> None:
        """limit: bytes of one body, other ones by path; seconds: to send it; together: of all that still arrive."""
        self.app, self.limit, self.seconds, self.together = app, limit, seconds, together
        self.limits = limits or {}
        self.held = 0
        self.readers: dict[asyncio.Timeout, None] = {}  # in the order in which they began

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        limit = min(self.limit, self.limits.get(scope["path"], self.limit))
        if said.isascii() and said.isdigit() and (len(said) > 18 or int(said) > limit):
            raise _too_large(limit, int(said[:18]))
        whole: Message | None = await self._whole(receive, limit)

        async def replayed() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()  # what comes after the body: that the client left
            message, whole = whole, None
            return message

        await self.app(scope, replayed, send)

    async def _whole(self, receive: Receive, limit: int) -> Message:
        """The body in one message, or the news that the client left while it sent.

        Raises:
            TooLarge: as soon as it is.
            TooSlow: the time is over, or others need the room.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(self.seconds) as patience:
                self.readers[patience] = None
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return message
                    body += (came := message.get("body", b""))
                    self.held += len(came)
                    if len(body) > limit:
                        raise _too_large(limit, len(body))
                    if not message.get("more_body", False):
                        return {"type": "http.request", "body": bytes(body), "more_body": False}
                    self._make_room()
        except TimeoutError:
            raise TooSlow(f"A body has {self.seconds:g} s to arrive, less while many arrive.") from None
        finally:
            self.held -= len(body)
            self.readers.pop(patience, None)

    def _make_room(self) -> None:
        """Cut off who began first, one a time: what it held is free as soon as it has noticed."""
        if self.held > self.together:
            first = next(iter(self.readers))
            del self.readers[first]
            first.reschedule(0)


def _too_large(limit: int, actual: int) -> TooLarge:
    return TooLarge(f"The body of this request may have {limit} bytes.", limit=limit, actual=actual)
