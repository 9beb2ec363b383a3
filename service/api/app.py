"""The application: a link and its bounds in, an ASGI app out. Three phases: start the link, answer, drain the link.

Knows nothing of engines and reads no settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from service.api import metrics, openapi, pages, problems, routes
from service.api.compare import comparison
from service.api.desk import Desk, Fetches
from service.api.detect import detection
from service.api.kserve import kserve
from service.api.protection import Outside, Protection, protect
from service.messages import Link
from service.tasks import discover
from service.tasks.contract import Bounds, Task
from service.telemetry.meter import Meter
from service.telemetry.traces import Tracer

DESCRIPTION = """Text or a picture goes in; a translation or a caption comes out, with the attention that made it.

A map shows where each word's context came from, not why the word was chosen. Ask for the answer as JSON, or with
`Accept` as text/plain, text/html, image/svg+xml, image/png, application/x-npz, or, word by word,
image/webp and image/gif."""

# FastAPI's own would put paths, queries and exceptions' messages, which are what users write, into spans and records.
OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(
    link: Link,
    *,
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    protection: Protection | None = None,
    fetch: Fetches | None = None,
    max_requests: int = 128,
    max_streams: int | None = None,
    max_compared: int = 16,
    long_texts: Mapping[str, Any] = MappingProxyType({}),
    desk_threads: int = 2,
    deadline_seconds: float = 30.0,
    drain_seconds: float = 20.0,
    ping_seconds: float = 15.0,
    tasks: Mapping[str, Task[Any, Any]] | None = None,
    meter: Meter | None = None,
    tracer: Tracer | None = None,
    expose: bool = True,
) -> FastAPI:
    """The service in front of a link, which is started here unless it runs already, and drained in the end.

    long_texts: the desk's bounds on texts of many sentences; meter: counts, made here unless given; expose: whether
    /metrics is among the routes; tracer: closed in the end.
    """
    meter = Meter(link.vitals, lambda: link.bundles) if meter is None else meter
    desk, counts = (
        Desk(link, bounds, desk_threads, max_requests, deadline_seconds, meter, **long_texts),
        metrics.Counts(meter),
    )
    desk.max_streams, desk.fetch = max_streams or max_requests, fetch
    protection, tasks = protection or Protection(), discover() if tasks is None else tasks

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        if not link.ready():
            await link.start()
        async with counts.kept():
            yield
        await link.drain(drain_seconds)
        desk.close()
        if tracer is not None:
            await asyncio.to_thread(tracer.close)

    app = FastAPI(
        title="Heed",
        version="0.1.0",
        summary="Attention models over HTTP",
        description=DESCRIPTION,
        openapi_url=None,  # ours is written once
        docs_url=None,  # FastAPI's pages load their scripts from a CDN
        redoc_url=None,
        redirect_slashes=False,
        telemetry=OFF,
        lifespan=life,
    )
    charge, told = protection.gate.charge, [metrics.router(meter)] if expose else []
    work = routes.work(desk, tasks, ping_seconds, charge)
    asked = [work, comparison(desk, tasks, max_compared, charge), detection(desk)]
    for router in (*asked, routes.about(desk, counts), *told, kserve(link, app.version), pages.pages()):
        app.include_router(router)
    openapi.install(app, tasks)
    problems.install(app)
    texts = ["/v1/detect", *(f"/v1/{task.name}" for task in tasks.values() if not task.upload)]
    protect(app, protection, Outside(desk.full, texts, meter, tracer))
    return app
