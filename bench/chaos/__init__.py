"""The service under blows: workers killed, SIGTERM, clients that vanish, a model replaced, hours of load.

Knows nothing of the service's insides: it sees processes from outside, and asks as anybody would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from bench.chaos.crowd import Asked
from bench.chaos.replace import OLD, staged
from bench.chaos.trials import TRIALS
from bench.load.wire import target
from bench.machine import machine, told
from bench.server import Server, free_port
from bench.texts import read
from bundle.manifest import Bundle

SENTENCES = (
    "a small dog runs across the grass",
    "two children play with a red ball in the park",
    "a man in a blue shirt is standing on a ladder cleaning a window",
    "a woman reads a book under an old tree while it rains",
)
LOG = Path(".bench/logs/chaos.log")


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument(
        "trial", choices=TRIALS, help="; ".join(f"{name}: {told.what}" for name, told in TRIALS.items())
    )
    parser.add_argument("bundle", type=Path, help="a translator; python -m service serve is started with it")
    parser.add_argument("--texts", type=Path, nargs="+", default=[], help="a text a line; a few of our own if none")
    parser.add_argument("--clients", type=int, default=16, help="who ask all the time, each one thing at a time")
    parser.add_argument("--seconds", type=float, default=120, help="of load")
    parser.add_argument("--minutes", type=float, help="of load; for soak, instead of --seconds")
    parser.add_argument("--every", type=float, default=5, help="kill: seconds between two blows")
    parser.add_argument("--guests", type=int, default=1000, help="vanish: clients that leave in the middle")
    parser.add_argument("--requests", type=int, default=1000, help="replace: so many in all, half of them before")
    parser.add_argument("--threads", type=int, default=2, help="cores of each engine")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting HEED_NAME")


def run(given: argparse.Namespace) -> int:
    """Start the service, strike, print a table and a line of JSON; 1 if something was lost."""
    if given.minutes is not None:
        given.seconds = 60 * given.minutes
    print(told())
    with served(given) as server:
        texts = read(*given.texts) if given.texts else SENTENCES
        asked = Asked(target(server.url, "/v1/translate"), texts)
        found = asyncio.run(TRIALS[given.trial].run(server, asked, given))
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")
    print(json.dumps({"trial": given.trial, "clients": given.clients, **found, **machine()}))
    return 1 if any(found.get(wrong) for wrong in ("lost", "mixed", "too_early", "stale")) else 0


def served(given: argparse.Namespace) -> Server:
    """Our own service, not yet started."""
    settings = {
        "zoo": str(given.bundle.resolve().parent),
        "models": Bundle(given.bundle).manifest.name,
        "threads": str(given.threads),
        **dict(one.split("=", 1) for one in given.set),
    }
    if given.trial == "replace":
        settings |= {"zoo": str(staged(given.bundle, LOG.parent / "two")), "admin_port": str(free_port())}
        settings["models"] += f"@{OLD}"
    environment = {f"HEED_{name.upper()}": value for name, value in settings.items()} | {"HEED_PORT": "{port}"}
    command = [sys.executable, "-m", "service", "serve"]
    return Server(command, ready="/health/ready", log=LOG, environment=environment)
