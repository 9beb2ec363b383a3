"""Three machines on one: a Ray cluster of a head and two workers, with Heed on it, for tests alone.

Knows nothing of what is asked of it. Says what runs as a line of JSON; ends at SIGTERM, and everything with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray import serve
from ray.cluster_utils import Cluster

from bundle.zoo import named
from service.cluster import run
from service.cluster.plan import groups
from service.cluster.replicas import Engine
from service.settings import Settings
from tests.link import accidents

LOOPBACK = "127.0.0.{}"  # Ray takes 127.0.0.1 for the machine's address in its network; others it leaves alone


class SlowEngine(Engine):
    """The real one, whose steps take as long as a variable says."""

    def __init__(self, *given: object) -> None:
        accidents.install()
        super().__init__(*given)  # type: ignore[arg-type]


def main() -> int:
    """Build, deploy, wait for the signal, take down."""
    settings = Settings()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    head = {"num_cpus": 0, "resources": {"front": 1}, "include_dashboard": False, "node_ip_address": LOOPBACK.format(2)}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        workers = [cluster.add_node(num_cpus=1, node_ip_address=LOOPBACK.format(place)) for place in (3, 4)]
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        models = [one.id for one in named(settings.zoo, settings.models).values()]
        plan = groups(settings.ray_engines, models)
        run.deploy(settings, run.application(settings, models, plan, SlowEngine))
        raylets = [node.all_processes["raylet"][0].process.pid for node in workers]
        print(json.dumps({"raylets": raylets}), flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if ray.is_initialized():
            serve.delete(run.NAME)
            serve.shutdown()
            ray.shutdown()
        cluster.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
