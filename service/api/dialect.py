"""What a dialect is: another service's paths, how errors are told there, which of them ask for keys themselves.

Knows nothing of what is asked in any of them. Whoever answers with an error asks the request's scope for its dialect,
so that the gate, the door and the routes all speak the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import HeedError

SENT = ("Accept", "Authorization", "Content-Type", "X-API-Key", "X-Request-ID")
TOLD = ("RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "X-Request-ID")


@dataclass(frozen=True)
class Dialect:
    """Paths are exact: what stands below one is not of the dialect."""

    paths: frozenset[str]
    tell: Callable[[HeedError], tuple[int, BaseModel]]  # an error as its status and its body, which is JSON
    work: frozenset[str] = frozenset()  # of these, what is turned away when the house is full; texts alone go in
    files: frozenset[str] = frozenset()  # the same, with whole files
    keyed: frozenset[str] = frozenset()  # whose key may be a field: the gate leaves them to the route
    public: frozenset[str] = frozenset()  # for everybody


def dialect_of(scope: Scope) -> Dialect | None:
    """The dialect in which a request is to be answered; none is our own."""
    found: Dialect | None = scope.get("state", {}).get("dialect")
    return found


class Dialects:
    """ASGI middleware: tells each request's dialect to whoever comes after, and whose pages may ask in it."""

    def __init__(
        self, app: ASGIApp, dialects: Sequence[Dialect], ours: Sequence[str] = (), theirs: Sequence[str] = ()
    ) -> None:
        """ours, theirs: origins of other sites' pages that may ask on our own paths, and on those of dialects."""
        self.by_path = {path: one for one in dialects for path in one.paths}
        self.ours, self.theirs = _shared(app, ours), _shared(app, theirs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self.by_path.get(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self.ours(scope, receive, send)
            return
        scope["state"]["dialect"] = found
        await self.theirs(scope, receive, send)


def _shared(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The app, for pages of these origins too. No credentials: a page sends the key that it was given."""
    if not origins:
        return app
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=("GET", "POST"), allow_headers=SENT, expose_headers=TOLD, max_age=3600
    )
