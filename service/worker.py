"""A worker process: an engine at the far end of a socket. Loads, answers once, says Ready, serves; drains on SIGTERM.

Knows nothing of HTTP or of tasks. Started by `service.link.process`, which gives it one end of a socket by number.
"""

from __future__ import annotations

import logging
import math
import signal
import socket
import sys
from collections.abc import Sequence

from bundle.manifest import BadBundle
from service.engine.catalog import Catalog
from service.engine.search import Rules
from service.link.far_end import FarEnd
from service.link.words import Broken
from service.settings import Settings

log = logging.getLogger("heed.worker")
BROKEN, DIED = 2, 70  # exit status: a bundle is at fault; a loop died
SWITCH = 0.0005  # seconds until a thread that packs answers lets the engine's go on; Python's own are 0.005


def run(settings: Settings, fd: int, models: Sequence[str] | None = None) -> int:
    """Serve the front at the other end of this socket until one of both ends; the exit status.

    models: what is to be loaded first, since the front may have changed what the settings say; it changes it later.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the front, which drains first
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.setswitchinterval(SWITCH)
    end = FarEnd(socket.socket(fileno=fd), heartbeat=settings.heartbeat_seconds)
    try:
        queued = 2 * (settings.queue + settings.engines * settings.rows)  # the front refuses, a worker takes
        catalog = warm(settings, models or settings.models, queued)
    except BadBundle as broken:
        end.close(Broken(str(broken.path), broken.why))
        return BROKEN
    signal.signal(signal.SIGTERM, lambda *_: end.leave(settings.drain_seconds))
    if not end.serve(catalog):
        return DIED  # its threads are daemons: nobody waits for one that hangs
    catalog.drain(0)
    return 0


def engine(settings: Settings, names: Sequence[str] | None, queued: int) -> Catalog:
    """The engine of these settings, here or in a worker; queued: beam rows that it lets wait.

    Raises:
        BadBundle: one cannot be loaded.
    """
    return Catalog(
        settings.zoo,
        names=names,
        threads=settings.threads,
        precision=settings.precision,
        device=settings.device,
        rows=settings.rows,
        cells=settings.cells,
        patience=settings.patience_seconds,
        rules=Rules(settings.max_repeats, settings.prune_nats or math.inf),
        queue=queued,
    )


def warm(settings: Settings, names: Sequence[str] | None, queued: int) -> Catalog:
    """An engine that has answered once for every bundle.

    Raises:
        BadBundle: one cannot be loaded, or does not answer.
    """
    catalog = engine(settings, names, queued)
    catalog.start()
    try:
        catalog.warm()
    except BadBundle:
        catalog.drain(0)
        raise
    return catalog
