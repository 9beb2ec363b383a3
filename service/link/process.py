"""The link to engines in processes of their own, which are started, watched and replaced here.

Knows nothing of engines, tasks or HTTP. What becomes of the jobs is `service.link.dispatch`'s.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from bundle.manifest import Bundle
from service.link.dispatch import Dispatch
from service.link.line import Line
from service.link.supervisor import Supervisor
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
    ) -> None:
        """command: starts a worker, given `--fd N` too; rows: of its tables; queue: rows that may wait in all."""
        super().__init__(bundles, rows=rows, queue=queue, attempts=attempts)
        self.command, self.environment = command, environment
        self.engines, self.heartbeat = engines, heartbeat
        self.supervisors: list[Supervisor] = []

    async def start(self) -> None:
        """Return when every worker is ready.

        Raises:
            BadBundle: a worker cannot serve one.
            EngineFailed: workers die before they are ready.
        """
        self.supervisors = [
            Supervisor(
                self.command,
                self,
                heartbeat=self.heartbeat,
                attempts=self.attempts,
                environment=self.environment,
            )
            for _ in range(self.engines)
        ]
        try:
            await asyncio.gather(*(one.first for one in self.supervisors))
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
        """Workers that take jobs: each has every model."""
        return self._open()

    def in_vain(self) -> bool:
        """See `Dispatch.in_vain`."""
        return all(one.hopeless for one in self.supervisors)

    async def stop(self) -> None:
        """End every worker."""
        await asyncio.gather(*(one.stop() for one in self.supervisors))

    def _open(self) -> list[Line]:
        """Workers that take jobs."""
        return [one.child for one in self.supervisors if one.child is not None and one.child.open]
