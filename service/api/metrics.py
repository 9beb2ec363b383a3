"""GET /metrics, for whichever listener is to have it, and what each model did lately.

Knows nothing of tasks.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from service.telemetry.figures import LEVELS
from service.telemetry.meter import Meter
from service.telemetry.recent import EVERY, Lately, Recent


class Quantiles(BaseModel):
    """Seconds within which half, 95 % and 99 % lay, as well as buckets tell; nothing where nothing happened."""

    p50: float | None
    p95: float | None
    p99: float | None


class Statistics(BaseModel):
    """How a model fared over the last `seconds`, a minute at most; all its workers together."""

    seconds: float
    requests: int = Field(description="That were answered, whatever with.")
    tokens_per_second: float
    queue_rows: int = Field(description="Beam rows that wait for a seat now.")
    seated: int = Field(description="Texts or pictures that are worked on now.")
    rows_per_step: float | None
    step_duration: Quantiles
    queue_wait: Quantiles
    time_to_first_token: Quantiles


class Counts:
    """A meter with a memory of a minute."""

    def __init__(self, meter: Meter) -> None:
        self.meter, self.recent = meter, Recent()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Remember where the counts stand every few seconds, while this lasts."""
        task = asyncio.create_task(self._keep(), name="recent")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            self.recent.mark(self.meter.vitals(), self.meter.asked, time.monotonic())
            await asyncio.sleep(EVERY)

    def statistics(self, model: str) -> Statistics:
        """How a model fared lately."""
        vitals = self.meter.vitals()
        found = self.recent.lately(model, vitals, self.meter.asked, time.monotonic())
        levels = [told.levels for (name, _), told in vitals.figures.items() if name == model]
        queued, seated = (sum(int(one[place]) for one in levels) for place in range(len(LEVELS)))
        return Statistics(
            seconds=round(found.seconds, 3),
            requests=found.requests,
            tokens_per_second=round(found.tokens / found.seconds, 3) if found.seconds else 0,
            queue_rows=queued + vitals.homeless.get(model, 0),
            seated=seated,
            rows_per_step=found.rows_a_step,
            **{name: Quantiles(**_rounded(found, name)) for name in found.quantiles},
        )


def _rounded(found: Lately, name: str) -> dict[str, float | None]:
    return {share: None if value is None else round(value, 6) for share, value in found.quantiles[name].items()}


def router(meter: Meter) -> APIRouter:
    """The one route, which is of no concern to those who ask for work, so it is not in their document."""
    found = APIRouter(include_in_schema=False)

    @found.get("/metrics", response_model=None)
    async def metrics(request: Request) -> Response:
        body, media = meter.exposed(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": media, "Cache-Control": "no-store"})

    return found
