"""A body larger than the limit is refused: at once if it says so, otherwise while it is read.

Knows nothing of what bodies mean.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import TooLarge


class BodyLimit:
    """ASGI middleware; raises TooLarge, which somebody outside must turn into an answer."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isascii() and said.isdigit() and (len(said) > 18 or int(said) > self.limit):
            raise self._too_large(int(said[:18]))
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.limit:
                raise self._too_large(read)
            return message

        await self.app(scope, counted, send)

    def _too_large(self, actual: int) -> TooLarge:
        return TooLarge(f"A request's body may have {self.limit} bytes.", limit=self.limit, actual=actual)
