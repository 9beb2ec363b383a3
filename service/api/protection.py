"""What stands before the application, outermost first: ids, browsers' rules, dialects, the gate, the door, the intake.

Knows nothing of settings and of what is protected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI

from service.api import problems
from service.api.dialect import Dialect, Dialects
from service.api.door import Door
from service.api.gate import PUBLIC, Gate, Guard
from service.api.headers import SecurityHeaders
from service.api.intake import Intake
from service.api.request_id import RequestIds
from service.api.watch import Watch
from service.errors import HeedError
from service.telemetry.meter import Meter
from service.telemetry.traces import Tracer

SMALL = 4096  # bytes of a body where none is needed: some clients send an empty form along


@dataclass(frozen=True)
class Protection:
    """Bounds and rules of one listener; the entry point fills it from the settings."""

    body_bytes: int = 16 * 2**20
    text_bytes: int = 2 * 2**20
    body_seconds: float = 60.0
    bodies_bytes: int = 256 * 2**20
    gate: Gate = field(default_factory=Gate)
    origins: tuple[str, ...] = ()  # of other sites' pages that may ask; "*" is every one
    dialect_origins: tuple[str, ...] = ()  # the same, on the paths of dialects


@dataclass(frozen=True)
class Outside:
    """What the rules need to know of an application."""

    full: Callable[[], HeedError | None]  # why nobody can be let in now, if so
    texts: Sequence[str]  # paths that take no picture
    meter: Meter
    tracer: Tracer | None = None
    dialects: Sequence[Dialect] = ()

    @property
    def limits(self) -> tuple[set[str], set[str]]:
        """Paths whose bodies are texts, and those whose bodies are next to nothing."""
        theirs = {path for dialect in self.dialects for path in dialect.paths}
        work = {path for dialect in self.dialects for path in dialect.work}
        whole = {path for dialect in self.dialects for path in dialect.files}
        return {*self.texts, *work}, theirs - work - whole


def protect(app: FastAPI, how: Protection, outside: Outside | None = None) -> None:
    """Put it all before an app."""
    dialects = outside.dialects if outside else ()
    texts, small = outside.limits if outside else (set(), set())
    app.add_middleware(  # innermost
        Intake,
        limit=how.body_bytes,
        limits={**dict.fromkeys(texts, how.text_bytes), **dict.fromkeys(small, SMALL)},
        seconds=how.body_seconds,
        together=how.bodies_bytes,
    )
    app.add_middleware(problems.Net)
    if outside:
        app.add_middleware(Door, full=outside.full, also=frozenset().union(*(one.work | one.files for one in dialects)))
    public = frozenset(PUBLIC).union(*(one.public for one in dialects))
    elsewhere = frozenset[str]().union(*(one.keyed for one in dialects))
    app.add_middleware(Guard, gate=how.gate, public=public, elsewhere=elsewhere)
    app.add_middleware(Dialects, dialects=dialects, ours=how.origins, theirs=how.dialect_origins)
    app.add_middleware(SecurityHeaders)
    if outside:
        app.add_middleware(Watch, meter=outside.meter, tracer=outside.tracer)
    app.add_middleware(RequestIds)  # outermost
