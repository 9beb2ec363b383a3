"""Work for a client of which the body was read: with a place at the desk, and only as long as the client is there.

Knows nothing of the work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api.desk import Desk
from service.api.presence import ClientGone, while_there
from service.api.watch import NOBODY_THERE, note


class Held(Response):
    """An answer that is made while its place is held, and sent when it is not held any more."""

    def __init__(self, desk: Desk, work: Callable[[Scope], Awaitable[Response]]) -> None:
        super().__init__()
        self.desk, self.work = desk, work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises: HeedError: what the work raises, or that no place is free."""
        with self.desk.place():
            try:
                response = await while_there(Request(scope, receive), self._worked(scope))
            except ClientGone:
                note(scope, status=NOBODY_THERE)
                response = Response(status_code=NOBODY_THERE)
        response.headers.setdefault("Cache-Control", "no-store")
        await response(scope, receive, send)

    async def _worked(self, scope: Scope) -> Any:
        return await self.work(scope)
