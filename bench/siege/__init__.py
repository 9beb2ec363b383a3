"""The service besieged: clients that say nothing, or too much, or bombs, while a probe asks as anybody would.

Knows nothing of the service's insides. The attackers run on the same machine at a lower priority, because their own
work is none of the service's: what is measured is what they cost it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import sys
from pathlib import Path
from typing import Any

from bench.load.points import percentile
from bench.load.wire import target
from bench.machine import machine, told
from bench.server import Server
from bench.siege.attacks import ATTACKS, besiege
from bench.siege.probe import Seen, probe
from bundle.manifest import Bundle

LOG = Path(".bench/logs/siege.log")
SETTLE = 2.0  # seconds between an attack's begin and the first sample, and after its end
BAR = 2.0  # times the usual p95


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    told = "; ".join(f"{name}: {one.what}" for name, one in ATTACKS.items())
    parser.add_argument("bundles", type=Path, nargs="+", help="of one folder, to serve: a translator and a captioner")
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=list(ATTACKS), help=told)
    parser.add_argument("--seconds", type=float, default=20, help="of each attack, and of the quiet before it")
    parser.add_argument("--rate", type=float, default=15, help="ordinary requests a second, each on a new connection")
    parser.add_argument("--clients", type=float, default=1.0, help="times the number of attackers that each has")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting HEED_NAME")


def run(given: argparse.Namespace) -> int:
    """Besiege it; a table, a line of JSON; 1 if something ordinary was lost or took too long."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(told())
    found = {}
    with served(given) as server:
        asyncio.run(probe(target(server.url, "/v1/translate"), given.rate, SETTLE))  # warm
        print(f"{'attack':<10} {'usual p95':>10} {'p95':>10} {'ratio':>6} {'asked':>6} {'lost':>5}  attackers saw")
        for name in given.attacks:
            found[name] = line = asyncio.run(_trial(name, server, given))
            print(
                f"{name:<10} {line['usual_p95_ms']:>7} ms {line['p95_ms']:>7} ms {line['ratio']:>6} {line['asked']:>6} "
                f"{line['lost']:>5}  {line['saw']}",
                flush=True,
            )
        memory = round(server.memory())
    print(f"memory of the service at the most: {memory} MB; open files each process may have: {hard}")
    print(json.dumps({"siege": found, "memory_mb": memory, **machine()}))
    return int(any(line["ratio"] > BAR or line["lost"] for line in found.values()))


async def _trial(name: str, server: Server, given: argparse.Namespace) -> dict[str, Any]:
    """Quiet, then the attack, both seen by the same probe."""
    where = target(server.url, "/v1/translate")
    usual = await probe(where, given.rate, given.seconds)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    attacker = context.Process(
        target=besiege, args=(name, server.url, given.seconds + 2 * SETTLE, given.clients, theirs)
    )
    attacker.start()
    await asyncio.to_thread(ours.recv)  # it has begun
    await asyncio.sleep(SETTLE)
    seen = await probe(where, given.rate, given.seconds)
    saw = await asyncio.to_thread(ours.recv)
    await asyncio.to_thread(attacker.join)
    await asyncio.sleep(SETTLE)
    return _figures(usual, seen) | {"saw": saw}


def _figures(usual: list[Seen], seen: list[Seen]) -> dict[str, Any]:
    before, during = (percentile([1e3 * one.seconds for one in many], 0.95) for many in (usual, seen))
    return {
        "usual_p95_ms": round(before, 1),
        "p95_ms": round(during, 1),
        "ratio": round(during / before, 2),
        "asked": len(seen),
        "lost": sum(one.status != 200 for one in seen),
    }


def served(given: argparse.Namespace) -> Server:
    """Our own service, not yet started."""
    settings = {
        "zoo": str(given.bundles[0].resolve().parent),
        "models": ",".join(Bundle(one).manifest.name for one in given.bundles),
        **dict(one.split("=", 1) for one in given.set),
    }
    environment = {f"HEED_{name.upper()}": value for name, value in settings.items()} | {"HEED_PORT": "{port}"}
    command = [sys.executable, "-m", "service", "serve"]
    return Server(command, ready="/health/ready", log=LOG, environment=environment)
