"""Keeps one place staffed: starts a worker, watches its beats, and starts another when it is gone.

Knows nothing of jobs; whoever holds them is told when a worker is ready and when one is gone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bundle.manifest import BadBundle
from service.errors import EngineFailed
from service.link.child import Child
from service.link.line import Line
from service.link.words import Changed, Ready, Report, Say, Word

log = logging.getLogger("heed.link")
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before a worker is replaced: doubled each time it did not run well
RAN_WELL = 10.0  # seconds; or it answered something
START_SECONDS = 120.0  # loading and warming takes seconds; who takes longer hangs
STOP_SECONDS = 5.0  # between SIGTERM, when nothing is left to do, and SIGKILL


class Crew(Protocol):
    """Who holds the jobs."""

    def arrived(self, line: Line) -> None:
        """It is ready."""

    def said(self, line: Line, word: Say) -> None:
        """It has news of a job."""

    def reported(self, line: Line, word: Report) -> None:
        """It tells what it has counted."""

    def changed(self, line: Line, word: Changed) -> None:
        """It serves other models now, or could not."""

    def gone(self, line: Line, *, crashed: bool) -> int:
        """It is gone, and its jobs are to be done elsewhere; how many those are."""

    def hopeless(self) -> None:
        """It is not the first that died before it was ready: there may be no other for long."""


class Supervisor:
    """One place, one worker at a time."""

    def __init__(
        self,
        command: Callable[[], Sequence[str]],
        crew: Crew,
        *,
        heartbeat: float,
        attempts: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """command: asked at every start, since what a worker is to serve changes; heartbeat: seconds of silence that
        mean death; attempts: starts that may fail in a row before it is said."""
        self.command, self.crew, self.environment = command, crew, environment
        self.heartbeat, self.attempts = heartbeat, attempts
        self.child: Child | None = None
        self.device = "-"  # that its workers run on, once one has said so
        self.failures = self.stillborn = self.restarts = 0  # in a row; in a row and before Ready; in all
        self.stopping = asyncio.Event()
        self.first = asyncio.get_running_loop().create_future()  # when the first worker is ready, or why there is none
        self.task = asyncio.create_task(self._run(), name="supervisor")

    @property
    def hopeless(self) -> bool:
        """Whether the last workers all died before they were ready."""
        return self.stillborn >= self.attempts

    async def stop(self) -> None:
        """End the worker, politely at first, and start no other."""
        self.stopping.set()
        if self.child is not None:
            self.child.dismiss()
        await asyncio.wait({self.task}, timeout=STOP_SECONDS)
        if self.child is not None:
            self.child.kill()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        """Until stopped, or until the first start has failed for good."""
        while not self.stopping.is_set():
            child = self.child = Child(self._hear)
            try:
                await child.start(self.command(), self.environment)
                if self.stopping.is_set():
                    child.dismiss()
                await child.watch(self.heartbeat, START_SECONDS)
            except OSError as refused:
                log.error("no worker could be started: %s", refused.strerror)
            cause = await child.cause()
            self.child = None
            self._judge(child, cause)
            if self.first.done() and self.first.exception():
                return
            await self._pause()

    def _hear(self, child: Child, word: Word) -> None:
        if isinstance(word, Say):
            child.answers += 1
            self.crew.said(child, word)
        elif isinstance(word, Report):
            self.device = next((device for _, device in word.figures), self.device)
            self.crew.reported(child, word)
        elif isinstance(word, Changed):
            self.crew.changed(child, word)
        elif isinstance(word, Ready):
            log.info("worker %d is ready after %.1f s", child.pid, time.monotonic() - child.born)
            self.stillborn = 0
            if not self.first.done():
                self.first.set_result(None)
            self.crew.arrived(child)

    def _judge(self, child: Child, cause: str) -> None:
        """Note how a worker ended, and send its jobs elsewhere."""
        asked_to = child.leaving or self.stopping.is_set()
        moved = self.crew.gone(child, crashed=not asked_to)
        if asked_to:
            self.failures = 0
            log.info("worker %d left (%s); %d jobs go elsewhere", child.pid, cause, moved)
            return
        well = child.ready_at is not None and (child.answers > 0 or time.monotonic() - child.ready_at > RAN_WELL)
        self.failures = 1 if well else self.failures + 1
        self.stillborn += not child.ready
        self.restarts += 1
        if child.broken:
            log.error("worker %d cannot serve: %s: %s", child.pid, *child.broken)
        else:
            log.error("worker %d died: %s; %d unfinished jobs go elsewhere", child.pid, cause, moved)
        if not self.first.done():
            self._not_begun(child, cause)
        elif self.hopeless:
            self.crew.hopeless()

    def _not_begun(self, child: Child, cause: str) -> None:
        """Give the start up at once if a bundle is broken, else when enough starts have failed."""
        if child.broken:
            self.first.set_exception(BadBundle(Path(child.broken.path), child.broken.why))
        elif self.hopeless:
            self.first.set_exception(
                EngineFailed(f"the worker died {self.stillborn} times before it was ready: {cause}")
            )

    async def _pause(self) -> None:
        """Wait before the next start, the longer the more failed; not at all after a worker that was asked to leave."""
        if not self.failures:
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.failures - 1, 16))
        try:
            async with asyncio.timeout(pause):
                await self.stopping.wait()
        except TimeoutError:
            return
