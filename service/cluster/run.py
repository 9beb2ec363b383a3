"""The command `ray`: join a cluster or make one of this machine, deploy, stay until a signal, take it down in order.

Knows nothing of HTTP or jobs. With `--detach` it leaves once everything is ready; what runs stays.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before ray is imported: nobody is told that Heed runs here

import ray
from ray import serve
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy, HTTPOptions
from ray.serve.schema import LoggingConfig

from bundle.zoo import named
from service.cluster.plan import Group, groups
from service.cluster.replicas import Engine, Front, Told
from service.errors import EngineFailed
from service.link.ray import Directory
from service.serve import protection
from service.settings import Settings

log = logging.getLogger("heed.cluster")
NAME = "heed"  # of the application
QUIET = LoggingConfig(enable_access_log=False, log_level="WARNING")  # addresses have query strings: what users write
SLIVER = 0.001  # of a resource that only says where
MARGIN = 5.0  # seconds beyond the drain until Serve kills a replica


def run(settings: Settings, *, detach: bool) -> int:
    """Deploy; unless detached, stay until a signal and take it down. The exit status.

    Raises:
        BadBundle: a bundle is broken or missing, or there is none.
        BadKeys: the file of keys cannot be read.
        Meaningless: the plan of engines makes no sense.
        EngineFailed: what was deployed did not become ready.
    """
    models = [one.id for one in named(settings.zoo, settings.models).values()]
    plan = groups(settings.ray_engines, models)  # before anything is started
    protection(settings)  # the same: that of each front is its own
    if settings.admin_port is not None:
        log.warning("HEED_ADMIN_PORT: on a cluster models are changed by deploying again; nobody listens there")
    local = settings.ray_address is None and "RAY_ADDRESS" not in os.environ
    ray.init(
        address="local" if local else settings.ray_address,
        num_cpus=room(settings, plan) if local else None,
        include_dashboard=False if local else None,
        _node_ip_address=settings.host if local else None,
        log_to_driver=not detach,
        configure_logging=False,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    stays = False
    try:
        deploy(settings, application(settings, models, plan))
        log.info("ready on http://%s:%d", settings.host, settings.port)
        stays = detach
        if not detach:
            threading.Event().wait()
    except KeyboardInterrupt:
        log.info("asked to stop")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if not stays:
            serve.delete(NAME)
        if local:
            serve.shutdown()
        ray.shutdown()
    return 0


def deploy(settings: Settings, app: serve.Application) -> None:
    """Start Serve if it does not run, and the application; return when it is ready.

    Raises:
        EngineFailed: it did not become so.
    """
    serve.start(
        proxy_location=settings.ray_proxies,
        http_options=HTTPOptions(host=settings.host, port=settings.port),
        logging_config=QUIET,
    )
    try:
        serve.run(app, name=NAME, route_prefix="/", logging_config=QUIET)
    except RuntimeError as failed:
        raise EngineFailed(f"the cluster could not start it: {failed}") from failed


def room(settings: Settings, plan: Sequence[Group]) -> int:
    """Cores that a cluster of this machine alone has, by Ray's count: as many as are asked for, as in `serve`."""
    asked = settings.threads * sum(group.most for group in plan) + settings.ray_fronts * settings.ray_front_cpus
    return max(os.cpu_count() or 1, math.ceil(asked))


def application(
    settings: Settings, models: Sequence[str], plan: Sequence[Group], engine: type[Engine] = Engine
) -> serve.Application:
    """Fronts before engines."""
    told, shared = travelling(settings, models), common(settings)
    directory = serve.deployment(name="directory", ray_actor_options=kept(0, settings), **shared)(Directory).bind()
    engines = [
        serve.deployment(name=group.name, **shared, **placed(group, settings))(engine).bind(
            told, list(group.models), "cuda:0" if group.gpu else "cpu", directory
        )
        for group in plan
    ]
    front = serve.deployment(
        name="front",
        num_replicas=settings.ray_fronts,
        ray_actor_options=kept(settings.ray_front_cpus, settings),
        max_ongoing_requests=2
        * settings.max_requests,  # ours refuses with a problem and a Retry-After; Serve's does not
        max_queued_requests=settings.max_requests,
        **shared,
    )(Front)
    return front.bind(told, directory, *engines)


def travelling(settings: Settings, models: Sequence[str]) -> Told:
    """Settings as each replica gets them: files at the same place on every machine, and these very versions."""
    keys = settings.keys_file and str(settings.keys_file.resolve())
    return settings.model_dump(mode="json") | {
        "zoo": str(settings.zoo.resolve()),
        "models": ",".join(models),
        "keys_file": keys,
    }


def common(settings: Settings) -> dict[str, Any]:
    """What is alike in every deployment."""
    return {
        "health_check_period_s": settings.heartbeat_seconds / 2,
        "health_check_timeout_s": 2 * settings.heartbeat_seconds,
        "graceful_shutdown_timeout_s": settings.drain_seconds + MARGIN,
        "graceful_shutdown_wait_loop_s": 0.5,
        "max_constructor_retry_count": settings.max_attempts,
    }


def kept(cpus: float, settings: Settings) -> dict[str, Any]:
    """What a replica takes that had better not die: it stands where people keep a machine for it."""
    wanted = {settings.ray_front_resource: SLIVER} if settings.ray_front_resource else {}
    return {"num_cpus": cpus, "resources": wanted}


def placed(group: Group, settings: Settings) -> dict[str, Any]:
    """How many replicas a group of engines has, and what each takes of its machine."""
    actor = {"num_cpus": settings.threads, "num_gpus": group.gpu}
    if group.least == group.most:
        return {"ray_actor_options": actor, "num_replicas": group.least}
    scaled = AutoscalingConfig(
        min_replicas=group.least,
        max_replicas=group.most,
        metrics_interval_s=1.0,  # to become a variable of every node, which would have to be set there
        look_back_period_s=2.0,
        upscale_delay_s=settings.ray_upscale_seconds,
        downscale_delay_s=settings.ray_downscale_seconds,
        policy=AutoscalingPolicy(
            policy_function="service.link.ray:Few", policy_kwargs={"rows": settings.ray_target_rows}
        ),
    )
    return {"ray_actor_options": actor, "autoscaling_config": scaled}
