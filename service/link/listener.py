"""One engine for many fronts: listens, lets in who shows the token, and is the far end of each.

Knows nothing of sessions or settings, or of how fronts learn the place. Ends when it is asked to leave; if a loop of
the engine died, whoever made this is told, and the fronts hear nothing more.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bundle.manifest import Bundle
from service.errors import Conflict
from service.link.far_end import FarEnd
from service.link.local import Engine
from service.link.remote import Place
from service.messages import Event, Job
from service.telemetry.figures import Figures, Key

log = logging.getLogger("heed.worker")
MOST = 64  # fronts, or whoever else connects, at once: each costs two threads
FIXED = "an engine of several fronts keeps the models that it was started with"
MARGIN = 1.0  # seconds after the drain, in which the last words are sent


class Shared:
    """The engine as one front sees it. Deadlines come as seconds left; see `service.link.remote`."""

    def __init__(self, engine: Engine, listener: Listener) -> None:
        self.engine, self.listener = engine, listener
        self.bundles, self.costs = engine.bundles, engine.costs

    def start(self) -> None:
        """It runs already."""

    def load(self, bundle: Bundle) -> None:
        """Raises: Conflict: what several fronts share is not one front's to change."""
        raise Conflict(FIXED)

    def unload(self, model: str) -> None:
        """Raises: Conflict: the same."""
        raise Conflict(FIXED)

    def ready(self) -> bool:
        """A drain that another front's far end has begun is no death."""
        return self.listener.leaving or self.engine.ready()

    def stuck(self, seconds: float) -> bool:
        """See `Engine`."""
        return self.engine.stuck(seconds)

    def submit(self, job: Job, sink: Callable[[Event], None]) -> Any:
        """See `Engine`."""
        left = job.options.deadline
        if left is not None:
            job = replace(job, options=replace(job.options, deadline=time.monotonic() + left))
        return self.engine.submit(job, sink)

    def cancel(self, ticket: Any) -> None:
        """See `Engine`."""
        self.engine.cancel(ticket)

    def figures(self) -> Mapping[Key, Figures]:
        """See `Engine`."""
        return self.engine.figures()

    def drain(self, seconds: float) -> None:
        """See `Engine`."""
        self.engine.drain(seconds)


class Listener:
    """Of one engine, which is started."""

    def __init__(self, engine: Engine, host: str, *, heartbeat: float, died: Callable[[], None]) -> None:
        """host: the address that fronts can reach; died: is called, in a thread, when the engine is of no use any more.

        Raises:
            OSError: nobody can listen there.
        """
        self.engine, self.heartbeat, self.died = engine, heartbeat, died
        self.sock = socket.create_server((host, 0))
        self.place = Place(host, self.sock.getsockname()[1], secrets.token_hex(32))
        self.ends: dict[threading.Thread, FarEnd | None] = {}
        self.leaving = False
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, name="listener", daemon=True).start()

    def leave(self, seconds: float) -> None:
        """Let nobody in, finish what was taken within this time, and hang up."""
        self.leaving = True
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
        self.sock.close()
        with self.lock:
            ends = dict(self.ends)
        for end in ends.values():
            if end is not None:
                end.leave(seconds)
        until = time.monotonic() + seconds + MARGIN
        for thread in ends:
            thread.join(max(0.0, until - time.monotonic()))
        self.engine.drain(0)

    def _accept(self) -> None:
        """The listener's thread."""
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                if self.leaving:
                    return
                time.sleep(0.1)  # no file is left, say
                continue
            thread = threading.Thread(target=self._attend, args=(sock,), name="front", daemon=True)
            with self.lock:
                full = len(self.ends) >= MOST
                if not full:
                    self.ends[thread] = None
            if full:
                log.warning("%d fronts are connected: another one is sent away", MOST)
                sock.close()
            else:
                thread.start()

    def _attend(self, sock: socket.socket) -> None:
        """Serve one front; its thread."""
        this, fine = threading.current_thread(), True
        try:
            with sock:
                if self._known(sock):
                    fine = self._serve(this, sock)
        finally:
            with self.lock:
                self.ends.pop(this, None)
        if not fine and not self.leaving:
            self.died()

    def _serve(self, this: threading.Thread, sock: socket.socket) -> bool:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        shared = Shared(self.engine, self)
        with self.lock:
            if self.leaving:
                return True
            end = self.ends[this] = FarEnd(sock, heartbeat=self.heartbeat, engine=shared)
        return end.serve(shared)

    def _known(self, sock: socket.socket) -> bool:
        """Whether who has connected shows the token."""
        wanted, shown = self.place.token.encode(), b""
        sock.settimeout(self.heartbeat)
        try:
            while len(shown) < len(wanted) and (more := sock.recv(len(wanted) - len(shown))):
                shown += more
        except OSError:
            return False
        known = hmac.compare_digest(wanted, shown)
        if not known:
            log.warning("somebody who does not know the token was sent away")
        return known
