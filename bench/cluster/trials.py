"""The trials themselves: each starts the cluster it needs, strikes or measures, and says what it found.

Knows nothing of how machines are started, or of tables.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from bench.chaos.crowd import Asked, Crowd
from bench.cluster.machines import Machines, Running, bind, spent
from bench.load.wire import target
from bench.server import Server

Found = dict[str, float]
WARM = 3.0  # seconds of load before anything is counted
STRUCK_AT = 1 / 3  # of the requests


class Trial(NamedTuple):
    """One question."""

    what: str
    run: Callable[[Machines, Sequence[str], argparse.Namespace], Coroutine[Any, Any, Found]]


async def kill(machines: Machines, texts: Sequence[str], given: argparse.Namespace) -> Found:
    """One of two engines gets SIGKILL while all clients ask."""
    with machines.cluster(engines=2, workers=2) as running:

        def strike() -> None:
            os.kill(running.engines()[0], signal.SIGKILL)

        return await struck(running, texts, given, strike)


async def node(machines: Machines, texts: Sequence[str], given: argparse.Namespace) -> Found:
    """One of two worker machines gets SIGKILL, every process of it, while all clients ask."""
    with machines.cluster(engines=2, workers=2) as running:

        def strike() -> None:
            for pid in running.machine(0):
                os.kill(pid, signal.SIGKILL)

        return await struck(running, texts, given, strike)


async def cost(machines: Machines, texts: Sequence[str], given: argparse.Namespace) -> Found:
    """What a request takes on a cluster and in `serve`, each with one engine: one client, then all of them."""
    found: Found = {}
    with machines.alone(1) as server:
        alone = [] if server.process is None else [server.process.pid]
        found |= {f"serve_{name}": value for name, value in (await paces(server, alone, texts, given)).items()}
    with machines.cluster(engines=1, workers=1) as running:
        found |= {
            f"ray_{name}": value for name, value in (await paces(running.server, running.leaders, texts, given)).items()
        }
    return found | {"overhead_ms": round(found["ray_p50_ms"] - found["serve_p50_ms"], 2)}


async def scale(machines: Machines, texts: Sequence[str], given: argparse.Namespace) -> Found:
    """Answers a second of one engine and of two, each bound to a core of its own.

    Fronts and proxies need cores, too: on a machine that has no more than the engines', what they take of two engines
    is small only where a request is much work (`--join`, `--beam`, `--attention none`).
    """
    found: Found = {}
    for engines in (1, 2):
        with machines.cluster(engines=engines, workers=1) as running:
            for core, pid in enumerate(running.engines()):
                bind(pid, core)
            found[f"per_second_{engines}"] = (await load(running.server, texts, given.clients, given))[0]
    return found | {"times": round(found["per_second_2"] / found["per_second_1"], 2)}


async def struck(
    running: Running, texts: Sequence[str], given: argparse.Namespace, strike: Callable[[], None]
) -> Found:
    """So many requests, a blow at a third of them, and what became of each."""
    crowd = Crowd(Asked(target(running.server.url, "/v1/translate"), texts, given.beam), given.clients)
    loading = asyncio.create_task(crowd.load(3600))
    await answers(crowd, int(given.requests * STRUCK_AT))
    strike()
    when = time.monotonic()
    await answers(crowd, given.requests)
    crowd.leaving = True
    await loading
    after = [one.ended - when for one in crowd.fates if one.status == 200 and one.ended > when]
    gap = max((b - a for a, b in zip(sorted(after), sorted(after)[1:], strict=False)), default=0.0)
    return {**crowd.summary(), "longest_silence_ms": round(1e3 * gap, 1)}


async def answers(crowd: Crowd, many: int) -> None:
    """Wait until so many requests have had their fate."""
    while len(crowd.fates) < many:  # noqa: ASYNC110  the crowd sets no event
        await asyncio.sleep(0.005)


async def paces(server: Server, leaders: Sequence[int], texts: Sequence[str], given: argparse.Namespace) -> Found:
    """Milliseconds of one client, answers a second of all, and milliseconds of all cores together that each takes."""
    _, p50 = await load(server, texts, 1, given)
    before, began = spent(leaders), time.monotonic()
    await asyncio.sleep(given.seconds / 2)
    idle = (spent(leaders) - before) / (time.monotonic() - began)
    before = spent(leaders)
    per_second, _ = await load(server, texts, given.clients, given, warm=0.0)
    cores = 1e3 * (spent(leaders) - before) / max(1.0, per_second * given.seconds)
    return {"p50_ms": p50, "per_second": per_second, "core_ms": round(cores, 1), "idle_cores": round(idle, 3)}


async def load(
    server: Server, texts: Sequence[str], clients: int, given: argparse.Namespace, warm: float = WARM
) -> tuple[float, float]:
    """Answers a second and the median of milliseconds, after warming up.

    Those count that came while all clients asked: in the end fewer and fewer are at work.
    """
    asked = Asked(
        target(server.url, "/v1/translate"), texts, given.beam, streams=given.streams, attention=given.attention
    )
    await Crowd(asked, clients).load(warm)
    crowd, began = Crowd(asked, clients), time.monotonic()
    await crowd.load(given.seconds)
    came = sum(one.status == 200 and one.ended <= began + given.seconds for one in crowd.fates)
    return round(came / given.seconds, 2), crowd.summary()["p50_ms"]


TRIALS = {
    "kill": Trial("SIGKILL for an engine", kill),
    "node": Trial("SIGKILL for a whole worker machine", node),
    "cost": Trial("a request on a cluster and in serve", cost),
    "scale": Trial("one engine and two, each on a core", scale),
}
