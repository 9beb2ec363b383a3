"""The gate: whose key is this, may they come in here, and have they asked for too much already?

Knows nothing of routes. `Guard` asks it for every request before anything is read; a dialect whose key may stand in a
field of the body keeps its paths to itself (`elsewhere`) and calls `admit` when it has read the field.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import problem
from service.api.rates import Allowance, Rates, Standing, bucket
from service.api.request_id import request_id
from service.errors import HeedError, KeyMissing, KeyRefused
from service.keys import key as keys
from service.keys.ring import KeyRing

SCHEMES = ("bearer", "deepl-auth-key")
PUBLIC: tuple[str, ...] = (
    *("/", "/docs", "/docs/errors", "/openapi.json", "/assets/", "/health", "/health/live", "/health/ready"),
    *("/v2/health/live", "/v2/health/ready"),  # KServe's names for the same
)
NO_LIMITS = Allowance()
CHALLENGE = 'Bearer realm="heed"'


@dataclass(frozen=True)
class Guest:
    """Who was let in: under which name they are counted, and what they may ask for."""

    who: str
    allowed: Allowance


@dataclass
class Gate:
    """For one door: what a key must open, and whether there must be one."""

    ring: KeyRing | None = None
    required: bool = False
    opens: keys.Scope = "work"
    rates: Rates = field(default_factory=Rates)
    by_key: Allowance = NO_LIMITS
    by_address: Allowance = NO_LIMITS
    clock: Callable[[], float] = time.time

    async def admit(self, scope: Scope, shown: str | None) -> Standing | None:
        """Let a request in, remember as whom, and count it.

        Raises:
            KeyMissing, KeyRefused: not with this key.
            RateLimited: not now.
        """
        address = scope["client"][0] if scope.get("client") else ""
        stranger = Guest(bucket(address), self.by_address)
        kept = self.ring.find(shown) if self.ring and shown else None
        if kept is None or not kept.opens(self.opens, self.clock()):
            standing = await self.rates.spend(stranger.who, "requests", stranger.allowed.requests)
            if shown and self.ring:
                raise KeyRefused("This key is not known here, or does not open this.")
            if self.required:
                raise KeyMissing("Send your key as `Authorization: Bearer …` or as `X-API-Key`.")
            scope["state"]["guest"] = stranger
            return standing
        scope["state"]["key_id"] = kept.id  # for the audit: ids are public
        own = Allowance(kept.requests or self.by_key.requests, kept.rows or self.by_key.rows)
        scope["state"]["guest"] = Guest(f"key-{kept.id}", own)
        return await self.rates.spend(f"key-{kept.id}", "requests", own.requests)

    async def charge(self, scope: Scope, rows: int) -> None:
        """Count the beam rows of a request that was understood.

        Raises:
            RateLimited: too many in this time.
        """
        guest = scope["state"].get("guest")
        if guest is not None and guest.allowed.rows is not None:
            await self.rates.spend(guest.who, "rows", guest.allowed.rows, rows)


class Guard:
    """ASGI middleware for any app: nobody is heard whom the gate does not let in."""

    def __init__(
        self, app: ASGIApp, gate: Gate, *, public: Iterable[str] = PUBLIC, elsewhere: Iterable[str] = ()
    ) -> None:
        """public: paths for everybody, those that end in / with all below; elsewhere: paths that ask themselves."""
        self.app, self.gate, self.elsewhere = app, gate, frozenset(elsewhere)
        self.public = frozenset(public)
        self.folders = tuple(path for path in self.public if path.endswith("/") and path != "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._open(scope["path"]):
            await self.app(scope, receive, send)
            return
        try:
            standing = await self.gate.admit(scope, shown(Headers(scope=scope)))
        except HeedError as refusal:
            response = problem(refusal, request_id(scope))
            if refusal.status == KeyMissing.status:
                response.headers["WWW-Authenticate"] = CHALLENGE
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send if standing is None else _told(send, standing))

    def _open(self, path: str) -> bool:
        return path in self.public or path in self.elsewhere or path.startswith(self.folders)


def shown(headers: Headers) -> str | None:
    """The key in the headers of a request; an empty one is none."""
    scheme, _, credentials = headers.get("authorization", "").strip().partition(" ")
    given = credentials.strip() if scheme.lower() in SCHEMES else ""
    return given or headers.get("x-api-key", "").strip() or None


def _told(send: Send, standing: Standing) -> Send:
    """The answer with the headers of draft-ietf-httpapi-ratelimit-headers."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(standing_headers(standing))
        await send(message)

    return told


def standing_headers(standing: Standing | None) -> dict[str, str]:
    """How it stands with the nearest limit, if there is one, as an answer tells it."""
    if standing is None:
        return {}
    policy = f'"requests";q={standing.quota};w={standing.window}'
    return {"RateLimit-Policy": policy, "RateLimit": f'"requests";r={standing.left};t={standing.reset}'}
