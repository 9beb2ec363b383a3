"""Every request has an id, the caller's if it is sane or one of ours, which its answer and its log line carry.

Knows nothing of what is asked.
"""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
SANE = re.compile(r"[A-Za-z0-9._:+=/-]{1,128}")


def request_id(scope: Scope) -> str:
    """The id of a request that came through the middleware."""
    return str(scope["state"]["request_id"])


class RequestIds:
    """ASGI middleware: gives the request its id, and the answer its header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(HEADER, "")
        given = asked if SANE.fullmatch(asked) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = given

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = given
            await send(message)

        await self.app(scope, receive, named)
