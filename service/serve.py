"""serve: the link and the application of these settings, behind uvicorn, until a signal ends it.

Knows nothing of the other commands. The engine is started first, so that a broken bundle is one line and not a
traceback of the server.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI

from bundle.zoo import named
from service.api.admin import create_admin
from service.api.app import create_app
from service.api.connections import Limits
from service.api.fetch import Fetch
from service.api.filing import FileBounds
from service.api.gate import Gate, Guard
from service.api.protection import Protection
from service.api.rates import Allowance, Rates
from service.api.server import Server, beside, listening
from service.keys.key import Scope
from service.keys.ring import KeyRing
from service.link.local import LocalLink
from service.link.process import ProcessLink
from service.markup.files.opened import Limits as FileLimits
from service.messages import Link
from service.settings import Settings
from service.tasks import detection
from service.tasks.contract import Bounds
from service.telemetry import traces
from service.telemetry.meter import Meter

FILES = 256  # kept for everything else: engines, their sockets, bundles, the log
WORKER = (sys.executable, "-m", "service", "worker")  # it reads the same settings from the environment it inherits
NEW = 50_000  # objects more than before, of those that may hold each other, after which the new ones are looked through
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
    meter = Meter(link.vitals, lambda: link.bundles)
    app = application(settings, link, tracer, meter)  # a file of keys that is broken is told before engines are started
    await asyncio.gather(link.start(), asyncio.to_thread(detection.warm))
    config = listening(app, settings.host, settings.port, connections(settings), settings.trusted_proxies)
    server = Server(config, link, settings.drain_seconds)
    settle()
    try:
        async with beside(admin_config(settings, link, meter)):
            await server.serve()
    finally:
        await link.drain(0)  # nothing is left to do, unless the server never began
    return 0 if server.started else 1


def settle() -> None:
    """Let the collector leave alone what stays: it took a tenth of a request's time in the front, for nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, 20, 20)


def application(
    settings: Settings, link: Link, tracer: traces.Tracer | None = None, meter: Meter | None = None
) -> FastAPI:
    """What answers over HTTP, in front of a link that need not be started.

    Raises:
        BadKeys: the file of keys cannot be read.
    """
    return create_app(
        link,
        bounds=bounds(settings),
        protection=protection(settings),
        fetch=fetch(settings),
        max_requests=settings.max_requests,
        max_streams=settings.max_streams,
        max_compared=settings.max_compared,
        desk_bounds=desk_bounds(settings),
        desk_threads=settings.desk_threads,
        deadline_seconds=settings.deadline_seconds,
        drain_seconds=settings.drain_seconds,
        ping_seconds=settings.ping_seconds,
        tracer=tracer,
        meter=meter,
        expose=settings.metrics == "public",
        file_bounds=file_bounds(settings),
    )


def admin_config(settings: Settings, link: Link, meter: Meter) -> uvicorn.Config | None:
    """The listener where models are changed, and where /metrics may be alone, if there is to be one."""
    if settings.admin_port is None:
        return None
    gate = protection(settings, "admin").gate  # without a file of keys, whoever reaches this listener may change models
    guard = partial(Guard, gate=gate, public=()) if gate.ring is not None else None
    app = create_admin(link, guard, meter if settings.metrics == "admin" else None)
    config = listening(app, settings.admin_host, settings.admin_port, connections(settings))
    config.timeout_graceful_shutdown = 1
    return config


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
        "patience": settings.deadline_seconds + settings.sentence_seconds * settings.max_sentences + LINGER,
    }


def file_bounds(settings: Settings) -> FileBounds:
    """What files may be brought, and how long they are kept."""
    limits = FileLimits(
        texts=settings.max_file_texts,
        characters=settings.max_file_characters,
        unpacked=settings.max_file_unpacked_bytes,
        entries=settings.max_file_entries,
        elements=settings.max_file_elements,
        nested=settings.max_file_nesting,
        namespaces=settings.max_file_namespaces,
        lines=settings.max_file_lines,
    )
    return FileBounds(
        files=settings.max_files,
        bytes=settings.max_files_bytes,
        seconds=settings.files_seconds,
        together=settings.files_together,
        share=settings.files_share,
        limits=limits,
    )


def bounds(settings: Settings) -> Bounds:
    """What a task may be asked for."""
    return Bounds(
        text_characters=settings.max_text_characters,
        texts=settings.max_texts,
        sentences=settings.max_sentences,
        pixels=settings.max_pixels,
        whole_pixels=settings.max_whole_pixels,
        beam_size=settings.max_beam_size,
        n_best=settings.max_n_best,
        length=settings.max_length,
        alternatives=settings.max_alternatives,
        glossary=settings.max_glossary,
        formats=settings.picture_formats,
    )


def desk_bounds(settings: Settings) -> dict[str, Any]:
    """What bounds the work at the desk: texts of many sentences, and how long those inside may take."""
    return {
        "window": min(settings.window, settings.queue),
        "sentence_seconds": settings.sentence_seconds,
        "max_sentences": settings.max_held_sentences,
        "target": settings.target_seconds,
    }


def protection(settings: Settings, opens: Scope = "work") -> Protection:
    """What stands before an application whose keys must open this.

    Raises:
        BadKeys: their file cannot be read.
    """
    ring = None if settings.keys_file is None else KeyRing(settings.keys_file, time.monotonic)
    gate = Gate(
        ring,
        settings.keys_required or opens == "admin",
        opens,
        Rates(settings.rate_storage),
        by_key=Allowance(settings.rate_requests_key, settings.rate_rows_key),
        by_address=Allowance(settings.rate_requests_address, settings.rate_rows_address),
    )
    return Protection(
        body_bytes=settings.max_body_bytes,
        text_bytes=settings.max_text_body_bytes,
        body_seconds=settings.body_seconds,
        bodies_bytes=settings.max_bodies_bytes,
        gate=gate,
        origins=settings.cors_origins,
        dialect_origins=settings.dialect_origins,
    )


def fetch(settings: Settings) -> Fetch | None:
    """Pictures from the hosts that are named; nothing if none is."""
    if not settings.fetch_hosts:
        return None
    return Fetch(settings.fetch_hosts, settings.max_body_bytes, settings.fetch_seconds)


def connections(settings: Settings) -> Limits:
    """Bounds below HTTP; connections never more than this process may have files."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = max(16, min(settings.max_connections, hard - FILES))
    return Limits(
        most, settings.max_head_bytes, settings.max_head_fields, settings.head_seconds, settings.stalled_seconds
    )
