"""The service on a Ray cluster: what is lost when an engine or a machine dies, what a request costs, what two do.

Knows nothing of the service's insides: it sees processes from outside, and asks as anybody would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.chaos import SENTENCES
from bench.cluster.machines import Machines
from bench.cluster.trials import TRIALS
from bench.machine import machine, told
from bench.texts import read
from bundle.manifest import Bundle


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("trial", choices=TRIALS, help="; ".join(f"{name}: {one.what}" for name, one in TRIALS.items()))
    parser.add_argument("bundle", type=Path, help="a translator; a cluster is started with it, all on this machine")
    parser.add_argument("--texts", type=Path, nargs="+", default=[], help="a text a line; a few of our own if none")
    parser.add_argument("--clients", type=int, default=16, help="who ask all the time, each one thing at a time")
    parser.add_argument("--requests", type=int, default=500, help="kill, node: in all; the blow falls at a third")
    parser.add_argument("--seconds", type=float, default=20, help="cost, scale: of load at each point")
    parser.add_argument("--beam", type=int, help="default: the manifest's")
    parser.add_argument("--join", type=int, default=1, help="so many texts are one, each on a line of its own")
    parser.add_argument("--attention", default="soft", choices=["none", "soft"], help="cost, scale")
    parser.add_argument("--no-streams", dest="streams", action="store_false", help="cost, scale: whole answers alone")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting HEED_NAME")
    parser.add_argument("--haproxy", action="store_true", help="Serve's HAProxy mode")


def run(given: argparse.Namespace) -> int:
    """Start what the trial needs, strike or measure, print a table and a line of JSON; 1 if something was lost."""
    print(told())
    lines = read(*given.texts) if given.texts else SENTENCES
    texts = ["\n".join(some) for some in batched(lines, given.join)]
    settings = {
        "zoo": str(given.bundle.resolve().parent),
        "models": Bundle(given.bundle).manifest.name,
        **dict(one.split("=", 1) for one in given.set),
    }
    machines = Machines(settings, haproxy=given.haproxy)
    found = asyncio.run(TRIALS[given.trial].run(machines, texts, given))
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")
    print(json.dumps({"trial": given.trial, "clients": given.clients, "haproxy": given.haproxy, **found, **machine()}))
    return 1 if found.get("lost") else 0


def batched(lines: Sequence[str], many: int) -> Iterator[Sequence[str]]:
    """So many lines at a time; what is left over at the end is left out, unless it is all there is."""
    for first in range(0, max(len(lines) - many, 0) + 1, many):
        yield lines[first : first + many]
