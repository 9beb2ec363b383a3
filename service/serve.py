"""serve: the link and the application of these settings, behind uvicorn, until a signal ends it.

Knows nothing of the other commands. The engine is started first, so that a broken bundle is one line and not a
traceback of the server.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI

from bundle.zoo import named
from service.api.admin import create_admin
from service.api.app import create_app
from service.api.server import Server, beside
from service.link.local import LocalLink
from service.link.process import ProcessLink
from service.messages import Link
from service.settings import Settings
from service.tasks.contract import Bounds
from service.telemetry import traces

WORKER = (sys.executable, "-m", "service", "worker")  # it reads the same settings from the environment it inherits
LINGER = 5.0  # seconds after the deadline of the last request in which its model is still kept


async def serve(settings: Settings) -> int:
    """Answer over HTTP; the exit status.

    Raises:
        BadBundle: one cannot be served.
        EngineFailed: workers die before they are ready.
        NotInstalled: traces are wanted without their libraries.
    """
    tracer = traces.exporting() if traces.wanted(settings.traces) else None
    link = process_link(settings) if settings.link == "process" else local_link(settings, settings.models)
    await link.start()
    config = uvicorn.Config(
        application(settings, link, tracer),
        host=settings.host,
        port=settings.port,
        access_log=False,  # ours has no query strings, which hold what users write
        log_config=None,
        server_header=False,
    )
    server = Server(config, link, settings.drain_seconds)
    try:
        async with beside(admin_config(settings, link)):
            await server.serve()
    finally:
        await link.drain(0)  # nothing is left to do, unless the server never began
    return 0 if server.started else 1


def application(settings: Settings, link: Link, tracer: traces.Tracer | None = None) -> FastAPI:
    """What answers over HTTP, in front of a link."""
    return create_app(
        link,
        bounds=bounds(settings),
        max_body_bytes=settings.max_body_bytes,
        max_requests=settings.max_requests,
        desk_threads=settings.desk_threads,
        deadline_seconds=settings.deadline_seconds,
        drain_seconds=settings.drain_seconds,
        ping_seconds=settings.ping_seconds,
        tracer=tracer,
        expose=settings.metrics == "public",
    )


def admin_config(settings: Settings, link: Link) -> uvicorn.Config | None:
    """The listener where models are changed, if there is to be one."""
    if settings.admin_port is None:
        return None
    app = create_admin(link)  # the place for a guard: whoever reaches this listener may change models
    return uvicorn.Config(
        app,
        host=settings.admin_host,
        port=settings.admin_port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def process_link(settings: Settings) -> Link:
    """Engines in worker processes.

    Raises:
        BadBundle: a bundle is broken or missing, or there is none.
    """
    return ProcessLink(
        named(settings.zoo, settings.models),
        WORKER,
        engines=settings.engines,
        rows=settings.rows,
        queue=settings.queue,
        heartbeat=settings.heartbeat_seconds,
        attempts=settings.max_attempts,
        zoo=settings.zoo,
        **changing(settings),
    )


def local_link(settings: Settings, names: Sequence[str] | None) -> Link:
    """An engine in this very process."""
    from service.worker import engine  # late: where workers run the engines, the front needs no onnxruntime

    return LocalLink(lambda: engine(settings, names, settings.queue), settings.zoo, **changing(settings))


def changing(settings: Settings) -> dict[str, Any]:
    """What bounds a change of models, for any link."""
    budget = settings.model_memory_mb
    return {
        "budget": None if budget is None else budget * 2**20,
        "load_seconds": settings.load_seconds,
        "patience": settings.deadline_seconds + LINGER,
    }


def bounds(settings: Settings) -> Bounds:
    """What a task may be asked for."""
    return Bounds(
        text_characters=settings.max_text_characters,
        texts=settings.max_texts,
        pixels=settings.max_pixels,
        beam_size=settings.max_beam_size,
        n_best=settings.max_n_best,
        length=settings.max_length,
        alternatives=settings.max_alternatives,
    )
