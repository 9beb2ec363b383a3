"""The link to engines in processes of their own, which are started, watched and replaced here.

Knows nothing of engines, tasks or HTTP. What becomes of the jobs is `service.link.dispatch`'s.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bundle.manifest import Bundle
from service.link.dispatch import Dispatch
from service.link.line import Line
from service.link.repository import Repository
from service.link.rounds import Rounds
from service.link.supervisor import Supervisor
from service.link.words import Changed
from service.telemetry.figures import Vitals


class ProcessLink(Dispatch):
    """See `service.messages.Link`."""

    def __init__(
        self,
        bundles: Mapping[str, Bundle],
        command: Sequence[str],
        *,
        engines: int = 1,
        rows: int = 256,
        queue: int = 1280,
        heartbeat: float = 5.0,
        attempts: int = 3,
        environment: Mapping[str, str] | None = None,
        zoo: Path = Path("zoo"),
        budget: int | None = None,
        load_seconds: float = 120.0,
        patience: float = 60.0,
    ) -> None:
        """command: starts a worker, given `--models` and `--fd` too; rows: of its tables; queue: rows that may wait.

        zoo: where more bundles are found; budget and patience: as in `Repository`; load_seconds: for one at one worker.
        """
        super().__init__(bundles, rows=rows, queue=queue, attempts=attempts)
        self.command, self.environment = command, environment
        self.engines, self.heartbeat = engines, heartbeat
        self.supervisors: list[Supervisor] = []
        self.rounds = Rounds(self._open, places=engines, seconds=load_seconds)
        self.repository: Repository = Repository(self.stock, self.rounds, zoo, budget=budget, patience=patience)
        self.tasks: set[asyncio.Task[None]] = set()  # of workers that came up while models were changed

    async def start(self) -> None:
        """Return when every worker is ready.

        Raises:
            BadBundle: a worker cannot serve one.
            EngineFailed: workers die before they are ready.
            OverBudget: the bundles take too much memory.
        """
        self.supervisors = [
            Supervisor(
                lambda: (*self.command, "--models", ",".join(self.stock.kept)),
                self,
                heartbeat=self.heartbeat,
                attempts=self.attempts,
                environment=self.environment,
            )
            for _ in range(self.engines)
        ]
        try:
            await asyncio.gather(*(one.first for one in self.supervisors))
            self.repository.check()
        except BaseException:
            await self.stop()
            raise

    def ready(self) -> bool:
        """Whether at least one worker would take a job now."""
        return not self.draining and bool(self._open())

    def vitals(self) -> Vitals:
        """See `Link.vitals`."""
        up: Counter[str] = Counter()
        restarts: Counter[str] = Counter()
        for one in self.supervisors:
            up[one.device] += one.child is not None and one.child.open
            restarts[one.device] += one.restarts
        return Vitals(self.ledger.figures(), up, restarts, self.homeless())

    def lines(self, model: str) -> Sequence[Line]:
        """Workers that take jobs for a model: while models are changed, not all may."""
        return [line for line in self._open() if model in line.models]

    def in_vain(self) -> bool:
        """See `Dispatch.in_vain`."""
        return all(one.hopeless for one in self.supervisors)

    async def stop(self) -> None:
        """End every worker."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*(one.stop() for one in self.supervisors))

    # What supervisors tell besides; see `service.link.supervisor.Crew`.

    def arrived(self, line: Line) -> None:
        """A worker is ready. Models that were changed while it started are changed now."""
        self.rounds.measured(line.models)
        if line.models.keys() != self.stock.kept.keys():
            task = asyncio.create_task(self._catch_up(line))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        super().arrived(line)

    def changed(self, line: Line, word: Changed) -> None:
        """A worker serves other models: those who wait for one may go there."""
        self.rounds.heard(word)
        self._rehouse()

    async def _catch_up(self, line: Line) -> None:
        async with self.repository.lock:
            await self.rounds.level(line, self.stock.kept)

    def _open(self) -> list[Line]:
        """Workers that take jobs."""
        return [one.child for one in self.supervisors if one.child is not None and one.child.open]
