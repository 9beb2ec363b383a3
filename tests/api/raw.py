"""A client that speaks ASGI itself: it sees each event as it comes, reads when it likes, and may leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping
from typing import Any

from tests.api.asking import GOOD
from tests.api.sse import Said, events

Message = MutableMapping[str, Any]


async def until(true: Callable[[], object]) -> None:
    """Wait for it, rather than assert that it took so long."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


class Raw:
    """One request for a translation. heard: called after each event; fails: the server's send raises OSError."""

    def __init__(
        self, app: Any, *, heard: Callable[[], None] = lambda: None, fails: bool = False, **asked: Any
    ) -> None:
        body = json.dumps({**GOOD, **asked}).encode()
        self.unread = [{"type": "http.request", "body": body, "more_body": False}]
        self.body, self.sends, self.heard, self.fails, self.complete = b"", 0, heard, fails, False
        self.reads, self.left = asyncio.Event(), asyncio.Event()
        self.reads.set()
        self.changed = asyncio.Condition()
        scope = {"type": "http", "method": "POST", "path": "/v1/translate", "query_string": b"", "headers": []}
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    def events(self) -> list[Said]:
        """What was said so far."""
        return events(self.body.decode())

    async def said(self, count: int) -> None:
        """Wait for so many events."""
        await self._until(lambda: len(self.events()) >= count)

    async def tried(self, count: int) -> None:
        """Wait until the server has wanted to send so many messages."""
        await self._until(lambda: self.sends >= count)

    def leave(self) -> None:
        """Close the connection."""
        self.left.set()

    async def over(self) -> None:
        """Wait until the application has returned."""
        await asyncio.wait_for(self.task, 20)

    async def _until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(true)

    async def _receive(self) -> Message:
        if self.unread:
            return self.unread.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sends += 1
        async with self.changed:
            self.changed.notify_all()
        if self.fails:
            raise OSError("broken pipe")
        await self.reads.wait()
        self.body += message.get("body", b"")
        self.complete = message["type"] == "http.response.body" and not message.get("more_body", False)
        if message.get("body", b"").startswith(b"event"):
            self.heard()
        async with self.changed:
            self.changed.notify_all()
