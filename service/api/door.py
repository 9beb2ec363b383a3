"""The door: turns work away before anything is spent on it, so that refusals stay quick when there are many.

Knows nothing of what is asked: a full house is the same for everybody.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.problems import problem
from service.api.request_id import request_id
from service.errors import HeedError

WORK = "/v1/"


class Door:
    """ASGI middleware: asks `full` before anybody else hears of a request for work."""

    def __init__(self, app: ASGIApp, full: Callable[[], HeedError | None], also: frozenset[str] = frozenset()) -> None:
        """full: why nobody can be let in now, if so; also: paths of work that are not ours."""
        self.app, self.full, self.also = app, full, also

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] == "http" and scope["method"] == "POST" and self._works(scope["path"]):
            refusal = self.full()
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await problem(refusal, request_id(scope))(scope, receive, send)

    def _works(self, path: str) -> bool:
        return path.startswith(WORK) or path in self.also
