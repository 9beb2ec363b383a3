"""What stands before the application, outermost first: ids, browsers' rules, the gate, the door, the intake.

Knows nothing of settings and of what is protected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from service.api import problems
from service.api.door import Door
from service.api.gate import Gate, Guard
from service.api.headers import SecurityHeaders
from service.api.intake import Intake
from service.api.request_id import RequestIds
from service.api.watch import Watch
from service.errors import HeedError
from service.telemetry.meter import Meter
from service.telemetry.traces import Tracer

SENT = ("Accept", "Authorization", "Content-Type", "X-API-Key", "X-Request-ID")
TOLD = ("RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "X-Request-ID")


@dataclass(frozen=True)
class Protection:
    """Bounds and rules of one listener; the entry point fills it from the settings."""

    body_bytes: int = 16 * 2**20
    text_bytes: int = 2 * 2**20
    body_seconds: float = 60.0
    bodies_bytes: int = 256 * 2**20
    gate: Gate = field(default_factory=Gate)
    origins: tuple[str, ...] = ()  # of other sites' pages that may ask; "*" is every one


@dataclass(frozen=True)
class Outside:
    """What the rules need to know of an application."""

    full: Callable[[], HeedError | None]  # why nobody can be let in now, if so
    texts: Sequence[str]  # paths that take no picture
    meter: Meter
    tracer: Tracer | None = None


def protect(app: FastAPI, how: Protection, outside: Outside | None = None) -> None:
    """Put it all before an app."""
    texts = outside.texts if outside else ()
    app.add_middleware(  # innermost
        Intake,
        limit=how.body_bytes,
        limits=dict.fromkeys(texts, how.text_bytes),
        seconds=how.body_seconds,
        together=how.bodies_bytes,
    )
    app.add_middleware(problems.Net)
    if outside:
        app.add_middleware(Door, full=outside.full)
    app.add_middleware(Guard, gate=how.gate)
    if how.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=how.origins,
            allow_methods=("GET", "POST"),
            allow_headers=SENT,
            expose_headers=TOLD,
            max_age=3600,
        )
    app.add_middleware(SecurityHeaders)
    if outside:
        app.add_middleware(Watch, meter=outside.meter, tracer=outside.tracer)
    app.add_middleware(RequestIds)  # outermost
