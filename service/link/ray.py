"""Ray's part in reaching engines: who listens where, the link of a front that asks for that, and when engines are few.

Knows nothing of engines, jobs or HTTP. Jobs do not travel through Ray: a call of a Serve handle costs milliseconds on
both sides, a frame on a socket of our own a tenth of one (docs/scaling.md has the figures). Ray places and replaces.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bundle.manifest import Bundle
from service.link.remote import Place, RemoteLink

if TYPE_CHECKING:
    from ray.serve.config import AutoscalingContext
    from ray.serve.handle import DeploymentHandle

log = logging.getLogger("heed.link")
LEASE = 5.0  # seconds after which an engine that does not say so any more is not listed
RENEW = 1.0  # seconds between two renewals
ROWS = "rows"  # the name of what engines report: beam rows seated and waiting


class Directory:
    """Where engines listen. One replica; a new one knows everything again once each engine has renewed its lease."""

    def __init__(self, lease: float = LEASE) -> None:
        self.lease = lease
        self.seen: dict[Place, float] = {}

    async def enter(self, place: Place) -> None:
        """An engine listens there, now."""
        self.seen[Place(*place)] = time.monotonic()

    async def strike(self, place: Place) -> None:
        """It listens no more."""
        self.seen.pop(Place(*place), None)

    async def places(self) -> list[Place]:
        """Where engines have listened a moment ago."""
        now = time.monotonic()
        self.seen = {place: when for place, when in self.seen.items() if now - when <= self.lease}
        return list(self.seen)


class Listing(threading.Thread):
    """Keeps an engine in the directory, until it is ended."""

    def __init__(self, directory: DeploymentHandle[Any], place: Place) -> None:
        super().__init__(name="listing", daemon=True)
        self.directory, self.place = directory, place
        self.over = threading.Event()

    def run(self) -> None:
        """Renew; a directory that cannot be reached is being replaced, and will be."""
        while not self.over.is_set():
            try:
                self.directory.enter.remote(self.place).result(timeout_s=LEASE)
            except Exception as failure:  # noqa: BLE001  whatever it is, the next one may pass
                log.warning("the directory cannot be reached: %s", type(failure).__name__)
            self.over.wait(RENEW)

    def end(self) -> None:
        """Have the place struck: nobody new shall come. Who has a line hears of the end there."""
        self.over.set()
        try:
            self.directory.strike.remote(self.place)
        except Exception as failure:  # noqa: BLE001  it is gone, too, and the engine has yet to finish its work
            log.info("there is no directory to be struck from: %s", type(failure).__name__)


class RayLink(RemoteLink):
    """See `service.messages.Link`. To engines that are in a directory."""

    def __init__(self, bundles: Mapping[str, Bundle], directory: DeploymentHandle[Any], **bounds: Any) -> None:
        """bounds: as in `RemoteLink`."""

        async def whereabouts() -> Iterable[Place]:
            return [Place(*place) for place in await directory.places.remote()]

        super().__init__(bundles, whereabouts, **bounds)


class Few:
    """How many engines there should be; see Serve's autoscaling policies. They report `rows`."""

    def __init__(self, rows: float) -> None:
        """rows: beam rows that one should have, seated and waiting."""
        self.rows = rows

    def __call__(self, context: AutoscalingContext) -> tuple[float, dict[str, Any]]:
        """So many that each has its rows; as many as there are while nothing is known."""
        reported = (context.aggregated_metrics or {}).get(ROWS, {})
        if not reported:
            return context.target_num_replicas, {}
        return max(1, math.ceil(sum(reported.values()) / self.rows)), {}
