"""Whoever comes and goes: each request is counted, has its line in the log, and its trace if traces are kept.

Knows nothing of what is asked. It tells the route's pattern, never a path, a query or a text; who asks is told by the
request's id alone.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.order import Order
from service.api.request_id import request_id
from service.telemetry.logs import TOLD
from service.telemetry.meter import NONE, Meter

if TYPE_CHECKING:
    from service.telemetry.traces import Tracer

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER = "OTHER"  # a method is the caller's to invent
BROKE = 500  # what was not answered at all
NOBODY_THERE = 499  # nginx's number; only figures and records see it
log = logging.getLogger("heed.access")


def note(scope: Scope, **told: Any) -> None:
    """Tell whoever watches about a request: its `order`; the `code` of its error; the `status` it came to, if later."""
    scope.setdefault("state", {}).setdefault("watched", {}).update(told)


class Watch:
    """ASGI middleware, inside of the one that gives requests their ids."""

    def __init__(self, app: ASGIApp, meter: Meter, tracer: Tracer | None = None) -> None:
        self.app, self.meter, self.tracer = app, meter, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), BROKE
        method = scope["method"] if scope["method"] in METHODS else OTHER
        span = self.tracer.begin(method, Headers(scope=scope), request_id(scope)) if self.tracer else None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            self._leave(scope, method, status, time.monotonic() - began, span)

    def _leave(self, scope: Scope, method: str, status: int, seconds: float, span: Any) -> None:
        """A request has ended, one way or another."""
        known = scope["state"].get("watched", {})
        route, status = getattr(scope.get("route"), "path", NONE), known.get("status", status)
        order: Order | None = known.get("order")
        model = order.bundle.manifest.name if order else NONE
        self.meter.request(route, model, status, seconds)
        if "code" in known and (status < BROKE or status == 503):
            self.meter.refused(known["code"])
        told: dict[str, Any] = {"request_id": request_id(scope), "method": method, "route": route, "status": status}
        told["seconds"] = round(seconds, 6)
        if order:
            told |= {"model": model, "inputs": order.journal.inputs, "tokens": order.journal.tokens}
        if "code" in known:
            told["code"] = known["code"]
        if span is not None and self.tracer:
            from service.telemetry.traces import trace_id

            told["trace_id"] = trace_id(span)
            self.tracer.end(span, route, method, status, model=model, journal=order.journal if order else None)
        line = "%s %s %d %.1f ms %s"
        log.info(line, method, route, status, 1000 * seconds, told["request_id"], extra={TOLD: told})
