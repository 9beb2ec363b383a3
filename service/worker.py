"""A worker process: an engine at the far end of a socket. Loads, answers once, says Ready, serves; drains on SIGTERM.

Knows nothing of HTTP or of tasks. Started by `service.link.process`, which gives it one end of a socket by number.
"""

from __future__ import annotations

import logging
import queue
import signal
import socket
import sys
from collections.abc import Sequence

import numpy as np

from bundle.manifest import BadBundle, Bundle
from bundle.text import EOS
from service.engine.catalog import Catalog
from service.link.far_end import FarEnd
from service.link.words import Broken
from service.messages import Done, Event, Job, Options
from service.settings import Settings

log = logging.getLogger("heed.worker")
BROKEN, DIED = 2, 70  # exit status: a bundle is at fault; a loop died
SWITCH = 0.0005  # seconds until a thread that packs answers lets the engine's go on; Python's own are 0.005


def run(settings: Settings, fd: int) -> int:
    """Serve the front at the other end of this socket until one of both ends; the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the front, which drains first
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.setswitchinterval(SWITCH)
    end = FarEnd(socket.socket(fileno=fd), heartbeat=settings.heartbeat_seconds)
    try:
        # the front refuses; all it took may end up here
        catalog = warm(settings, settings.models, 2 * (settings.queue + settings.engines * settings.rows))
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
        queue=queued,
    )


def warm(settings: Settings, names: Sequence[str] | None, queued: int) -> Catalog:
    """An engine that has answered once for every bundle: a first run is slow, and may be the one that fails.

    Raises:
        BadBundle: one cannot be loaded, or does not answer.
    """
    catalog = engine(settings, names, queued)
    catalog.start()
    ends = queue.SimpleQueue[Event]()
    for bundle in catalog.bundles.values():
        catalog.submit(tiny(bundle), ends.put)
        if not isinstance(_end(ends, catalog), Done):
            catalog.drain(0)
            raise BadBundle(bundle.path, "does not answer a tiny request")
    catalog.count_anew()
    return catalog


def _end(ends: queue.SimpleQueue[Event], catalog: Catalog) -> Event | None:
    """The end of a job; None if a loop is gone without a word."""
    while True:
        try:
            return ends.get(timeout=0.5)
        except queue.Empty:
            if not catalog.ready():
                return None


def tiny(bundle: Bundle) -> Job:
    """The smallest job for a bundle: one letter, or a picture that is grey all over."""
    told = bundle.manifest
    if told.image is not None:
        inputs = {"pixels": np.zeros((3, told.image.size, told.image.size), np.float32)}
    else:
        inputs = {"source": np.array([*bundle.text.ids("a"), EOS], np.int64)}
    return Job("warm-up", told.name, inputs, Options(beam_size=told.search.beam_size, max_length=2))
