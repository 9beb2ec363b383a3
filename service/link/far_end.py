"""The worker's end of the socket: jobs in, events out. One thread reads, one writes; the engine never waits.

Knows nothing of sessions or settings; the engine is handed to it. Ends when the front closes its end, when the worker
has drained, or when a loop of the engine died: then it says nothing more, since the front asks another worker.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from bundle.manifest import BadBundle, Bundle
from service.errors import EngineFailed, HeedError
from service.link.frames import BadFrame, Frames
from service.link.local import Engine
from service.link.words import (
    Ask,
    Beat,
    Cancel,
    Changed,
    Leaving,
    Load,
    Ready,
    Report,
    Say,
    Unload,
    Word,
    heard,
    packed,
)
from service.messages import Done, Event, Failed

log = logging.getLogger("heed.worker")
CHUNK = 1 << 18  # bytes read at once
REPORT = 1.0  # seconds between reports, at least: each is a kilobyte a model
PATIENCE = 6  # a worker gives up on a silent front later than the front on a silent worker: it holds nobody up


class FarEnd:
    """Says it lives, from the start; hears jobs once it has an engine to serve."""

    def __init__(self, sock: socket.socket, *, heartbeat: float, engine: Engine | None = None) -> None:
        """heartbeat: seconds of silence after which the front takes this worker for dead; engine: if it is there."""
        sock.settimeout(PATIENCE * heartbeat)
        self.sock, self.beat, self.longest = sock, heartbeat / 4, heartbeat
        self.words = SimpleQueue[Word | None]()  # None: write what is there and close
        self.tickets: dict[int, list[Any]] = {}  # of jobs without an end, by the front's number
        self.engine = engine
        self.leaving = self.failed = False
        self.reported = 0.0  # time.monotonic() seconds
        self.writer = threading.Thread(target=self._write, name="link-writer", daemon=True)
        self.writer.start()

    def serve(self, engine: Engine) -> bool:
        """Say Ready and work for the front until one of the three ends; whether the engine still lives."""
        self.engine = engine
        self.words.put(Ready(dict(engine.costs)))
        frames = Frames()
        try:
            while data := self.sock.recv(CHUNK):
                for word in heard(frames, data):
                    self._hear(word, engine)
        except TimeoutError:
            log.warning("the front has been silent for %g s: leaving", self.sock.gettimeout())
        except (OSError, BadFrame) as broken:
            log.warning("the front is gone: %s", type(broken).__name__)
        self.close()
        if not self.failed:
            self._forget(engine)
        return not self.failed

    def leave(self, seconds: float) -> None:
        """Take nothing more, finish what was taken within this time, and close. Safe in a signal's handler."""
        if not self.leaving:
            self.leaving = True
            threading.Thread(target=self._drain, args=(seconds,), name="drain").start()

    def close(self, last: Word | None = None) -> None:
        """Write what is there, and this, and close."""
        if last is not None:
            self.words.put(last)
        self.words.put(None)
        self.writer.join()

    def _drain(self, seconds: float) -> None:
        self.words.put(Leaving())
        if self.engine is not None:
            self.engine.drain(seconds)
        self.words.put(None)

    def _hear(self, word: Word, engine: Engine) -> None:
        if isinstance(word, Ask):
            ticket = self.tickets[word.number] = []  # noted first: the end may come before submit returns
            try:
                ticket.append(engine.submit(word.job, partial(self._say, word.number)))
            except HeedError as error:
                self._say(word.number, Failed(word.job.id, error))
        elif isinstance(word, Cancel):
            for one in self.tickets.pop(word.number, []):
                engine.cancel(one)
        elif isinstance(word, Load | Unload):  # takes its time, or for ever: the front waits, the reader does not
            threading.Thread(target=self._change, args=(word, engine), name="change", daemon=True).start()

    def _change(self, word: Load | Unload, engine: Engine) -> None:
        """Load or unload, and say what is served then."""
        why = None
        try:
            if isinstance(word, Unload):
                engine.unload(word.model)
            elif (bundle := Bundle(Path(word.path))).id == word.model:
                engine.load(bundle)
            else:
                why = f"it is {bundle.id} by now"
        except BadBundle as broken:
            why = f"{broken.path.name}: {broken.why}"
        except HeedError as refused:
            why = refused.detail
        except Exception as failure:
            log.exception("a bundle could not be %sed", type(word).__name__.lower())
            why = type(failure).__name__
        self.words.put(Changed(word.number, dict(engine.costs), why))

    def _forget(self, engine: Engine) -> None:
        """Nobody waits for what this front asked any more, and the engine may have others to serve."""
        for ticket in self.tickets.values():
            for one in ticket:
                engine.cancel(one)

    def _say(self, number: int, event: Event) -> None:
        """A sink: called by the engine's own thread, so it only leaves a note for the writer."""
        self.words.put(Say(number, event))

    def _write(self) -> None:
        """The writer's thread."""
        try:
            while True:
                words = self._due()
                words += self._news(last=None in words)
                if self._dead():  # asked after the words were taken: a loop is dead before it fails its guests
                    self.failed = True
                    return
                self.sock.sendall(b"".join(self._packed(word) for word in words if word is not None))
                if None in words:
                    return
        except OSError:
            if self.engine is None:  # whoever loads or warms up hears nothing, and may take for ever
                os._exit(0)
            log.debug("the front does not read any more")
        except Exception:
            log.exception("an answer could not be written")
            self.failed = True
        finally:
            self._shut()

    def _due(self) -> list[Word | None]:
        """Wait a beat for a word, then take all that are there: what a tick emits goes out in one piece."""
        words: list[Word | None] = []
        try:
            words.append(self.words.get(timeout=self.beat))
            while True:
                words.append(self.words.get_nowait())
        except Empty:
            return words or [Beat()]

    def _news(self, *, last: bool) -> list[Word]:
        """A report, if it is time for one. The last is always due: who leaves in order leaves nothing untold."""
        now = time.monotonic()
        if self.engine is None or not (last or now - self.reported >= REPORT):
            return []
        self.reported = now
        return [Report(self.engine.figures())]

    def _dead(self) -> bool:
        """Whether a loop has ended, or hangs: a step takes milliseconds, and the front would wait for ever."""
        if self.engine is None:
            return False
        return (not self.leaving and not self.engine.ready()) or self.engine.stuck(self.longest)

    def _packed(self, word: Word) -> bytes:
        if isinstance(word, Say) and isinstance(word.event, Done | Failed):
            self.tickets.pop(word.number, None)
        try:
            return packed(word)
        except BadFrame:
            if not isinstance(word, Say):
                raise
            return packed(Say(word.number, Failed(word.event.job, EngineFailed("the answer is too large to be sent"))))

    def _shut(self) -> None:
        """End both directions: the reader wakes up, and the front hears it once it has read everything."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("the front was gone already")
