"""The application: a link and its bounds in, an ASGI app out. Three phases: start the link, answer, drain the link.

Knows nothing of engines and reads no settings.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from service.api import deepl, files, libretranslate, metrics, openapi, pages, problems, routes
from service.api.compare import comparison
from service.api.desk import Desk, Fetches
from service.api.detect import detection
from service.api.dialect import Dialect
from service.api.filing import FileBounds, Filing
from service.api.kserve import kserve
from service.api.languages import TRANSLATE
from service.api.protection import Outside, Protection, protect
from service.api.texts import Texts
from service.markup.files import KINDS
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
    desk_bounds: Mapping[str, Any] = MappingProxyType({}),
    desk_threads: int = 2,
    deadline_seconds: float = 30.0,
    drain_seconds: float = 20.0,
    ping_seconds: float = 15.0,
    tasks: Mapping[str, Task[Any, Any]] | None = None,
    meter: Meter | None = None,
    tracer: Tracer | None = None,
    expose: bool = True,
    file_bounds: FileBounds = FileBounds(),  # noqa: B008 - frozen
) -> FastAPI:
    """The service in front of a link, which is started here unless it runs already, and drained in the end.

    desk_bounds: its other bounds, by name; meter: counts, made here unless given; expose: whether
    /metrics is among the routes; tracer: closed in the end.
    """
    meter = Meter(link.vitals, lambda: link.bundles) if meter is None else meter
    desk = Desk(link, bounds, desk_threads, max_requests, deadline_seconds, meter, **desk_bounds)
    counts = metrics.Counts(meter)
    desk.max_streams, desk.fetch = max_streams or max_requests, fetch
    protection, tasks = protection or Protection(), discover() if tasks is None else tasks

    filing = Filing(desk, tasks[TRANSLATE], protection.gate.charge, file_bounds) if TRANSLATE in tasks else None

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        if not link.ready():
            await link.start()
        async with counts.kept():
            yield
        if filing is not None:
            filing.close()
        await link.drain(drain_seconds)
        desk.close()
        if tracer is not None:
            await asyncio.to_thread(tracer.close)

    app = _documented(life)
    charge, told = protection.gate.charge, [metrics.router(meter)] if expose else []
    work = (
        routes.work(desk, tasks, ping_seconds, charge),
        comparison(desk, tasks, max_compared, charge),
        detection(desk),
    )
    for router in (*work, routes.about(desk, counts), *told, kserve(link, app.version), pages.pages()):
        app.include_router(router)
    spoken = _dialects(app, desk, tasks, protection, filing)
    openapi.install(app, tasks, also=libretranslate.SPEC if spoken else ())
    problems.install(app)
    protect(app, protection, Outside(desk.full, _texts(tasks), meter, tracer, spoken))
    return app


def _documented(life: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """An application without routes, within this life."""
    return FastAPI(
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


def _dialects(
    app: FastAPI, desk: Desk, tasks: Mapping[str, Task[Any, Any]], protection: Protection, filing: Filing | None
) -> tuple[Dialect, ...]:
    """Other services' routes, where there is what they need: a task that translates."""
    if filing is None:
        return ()
    endings = [ending.removeprefix(".") for ending in KINDS]
    texts = Texts(desk, tasks[TRANSLATE], protection.gate.charge)
    app.include_router(libretranslate.LibreTranslate(texts, protection.gate, endings).router())
    app.include_router(files.libretranslate_files(filing, protection.gate))
    app.include_router(files.files(filing, time.monotonic))
    app.include_router(deepl.DeepL(texts).router())
    return (libretranslate.DIALECT, deepl.DIALECT)


def _texts(tasks: Mapping[str, Task[Any, Any]]) -> list[str]:
    """Our own paths that take no picture."""
    return ["/v1/detect", *(f"/v1/{task.name}" for task in tasks.values() if not task.upload)]
