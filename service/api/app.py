"""The application: a link and its bounds in, an ASGI app out. Three phases: start the link, answer, drain the link.

Knows nothing of engines and reads no settings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from service.api import openapi, pages, problems, routes
from service.api.desk import Desk, Fetches
from service.api.protection import Protection, protect
from service.messages import Link
from service.tasks import discover
from service.tasks.contract import Bounds, Task

DESCRIPTION = """Text or a picture goes in; a translation or a caption comes out, with the attention that made it.

A map shows where each word's context came from, not why the word was chosen. Ask for the answer as JSON, or with
`Accept` as text/plain, text/html, image/svg+xml, image/png or application/x-npz."""


def create_app(
    link: Link,
    *,
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    protection: Protection | None = None,
    fetch: Fetches | None = None,
    max_requests: int = 128,
    max_streams: int | None = None,
    desk_threads: int = 2,
    deadline_seconds: float = 30.0,
    drain_seconds: float = 20.0,
    ping_seconds: float = 15.0,
    tasks: Mapping[str, Task[Any, Any]] | None = None,
) -> FastAPI:
    """The service in front of a link, which is started here unless it runs already, and drained in the end."""
    desk = Desk(
        link, bounds, desk_threads, max_requests, deadline_seconds, max_streams=max_streams or max_requests, fetch=fetch
    )
    protection = protection or Protection()
    tasks = discover() if tasks is None else tasks

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        if not link.ready():
            await link.start()
        yield
        await link.drain(drain_seconds)
        desk.close()

    app = FastAPI(
        title="Heed",
        version="0.1.0",
        summary="Attention models over HTTP",
        description=DESCRIPTION,
        openapi_url=None,  # ours is written once
        docs_url=None,  # FastAPI's pages load their scripts from a CDN
        redoc_url=None,
        redirect_slashes=False,
        lifespan=life,
    )
    app.include_router(routes.work(desk, tasks, ping_seconds, protection.gate.charge))
    app.include_router(routes.about(desk))
    app.include_router(pages.pages())
    openapi.install(app, tasks)
    problems.install(app)
    protect(app, protection, desk.full, [f"/v1/{task.name}" for task in tasks.values() if not task.upload])
    return app
