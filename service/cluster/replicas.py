"""What Ray Serve runs: fronts that speak HTTP, engines that listen, and the directory by which they find each other.

Knows nothing of how they are deployed. Settings come from whoever deploys, so that every machine has the same.
"""

from __future__ import annotations

import os
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bundle.zoo import named
from service.link.listener import Listener
from service.link.ray import ROWS, Listing, RayLink
from service.serve import application
from service.settings import Settings
from service.tasks import detection
from service.telemetry import logs, traces
from service.worker import DIED, warm

Told = dict[str, Any]  # settings as JSON has them


def settled(told: Told) -> Settings:
    """The settings of whoever deploys, in a replica; and its log, which Ray collects."""
    settings = Settings.model_validate(told)
    logs.install(settings.log_format, settings.log_level)
    return settings


class Engine:
    """One engine that listens."""

    def __init__(self, told: Told, models: list[str], device: str, directory: DeploymentHandle[Any]) -> None:
        """Load the models, answer once for each, and be found."""
        self.settings = settled({**told, "device": device})
        queued = 2 * self.settings.ray_fronts * (self.settings.queue + self.settings.rows)  # fronts refuse, not engines
        self.catalog = warm(self.settings, models, queued)
        self.listener = Listener(
            self.catalog,
            ray.util.get_node_ip_address(),
            heartbeat=self.settings.heartbeat_seconds,
            died=lambda: os._exit(DIED),  # Serve starts another, and the fronts ask again there
        )
        self.listing = Listing(directory, self.listener.place)
        self.listing.start()

    def check_health(self) -> None:
        """Raise if this replica is to be replaced. Where a front is connected, a dead loop ends the process sooner.

        Raises:
            RuntimeError: it is.
        """
        if not self.listener.leaving and (
            not self.catalog.ready() or self.catalog.stuck(self.settings.heartbeat_seconds)
        ):
            raise RuntimeError("a loop of the engine has ended or hangs")

    def record_autoscaling_stats(self) -> dict[str, float]:
        """What `service.link.ray.Few` decides by."""
        return {ROWS: self.catalog.rows()}

    def __del__(self) -> None:
        """Serve calls this when it stops the replica: finish what was taken."""
        listener = getattr(self, "listener", None)
        if listener is not None and not listener.leaving:
            self.listing.end()
            listener.leave(self.settings.drain_seconds)


@serve.ingress()
class Front:
    """One front: the same application as everywhere, on a link that finds engines by the directory."""

    def __init__(self, told: Told, directory: DeploymentHandle[Any], *engines: DeploymentHandle[Any]) -> None:
        """engines: those it needs, so that Serve starts them; they are not called."""
        self.settings, self.directory = settled(told), directory

    def __serve_build_asgi_app__(self) -> FastAPI:
        settings = self.settings
        link = RayLink(
            named(settings.zoo, settings.models),
            self.directory,
            rows=max(settings.max_beam_size, settings.rows // settings.ray_fronts),  # its share of each table
            queue=max(settings.max_texts * settings.max_beam_size, settings.queue // settings.ray_fronts),
            heartbeat=settings.heartbeat_seconds,
            attempts=settings.max_attempts,
        )
        detection.warm()
        app = application(settings, link, traces.exporting() if traces.wanted(settings.traces) else None)
        if settings.trusted_proxies:
            app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
        return app
