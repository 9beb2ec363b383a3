"""Side by side with other engines and servers: the same texts, weights and threads, ratios of medians.

Knows nothing of how a peer works. A peer that cannot be installed here is named loudly, and the others go on.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import http
from bench.machine import machine, told
from bench.peers import offline, serving
from bench.peers.contest import Silent
from bench.peers.environments import Missing
from bench.server import NotServing
from bench.texts import read

PEERS: dict[str, Callable[[str, argparse.Namespace], list[dict[str, Any]]]] = {
    **dict.fromkeys(offline.CONTESTS, offline.compare),
    **dict.fromkeys(serving.PEERS, serving.compare),
}


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("peers", nargs="+", choices=sorted(PEERS), metavar="PEER", help=", ".join(sorted(PEERS)))
    parser.add_argument("--bundle", type=Path, required=True, help="what Heed runs")
    parser.add_argument("--checkpoint", type=Path, help="the training run that the bundle was exported from")
    parser.add_argument("--random", default="256,4,1024,3", help="without --checkpoint: WIDTH,HEADS,INNER,LAYERS")
    parser.add_argument("--references", type=Path, nargs="+", help="translations of --texts, to print BLEU")
    parser.add_argument("--most", type=int, help="so many inputs, not all")
    parser.add_argument("--few", type=int, default=300, help="inputs that engines are tuned on")
    parser.add_argument("--beams", type=lambda text: [int(one) for one in text.split(",")], default=[5, 1])
    parser.add_argument("--computes", type=lambda text: text.split(","), default=["int8", "float32"])
    parser.add_argument("--runs", type=int, default=5, help="medians are reported")
    parser.add_argument("--torch-python", type=Path, help="an interpreter with torch; by default one is found or made")
    parser.add_argument("--work", type=Path, default=http.WORK, help="environments, logs and what is converted")
    parser.add_argument("--from", dest="start", type=float, default=16, help="where the search for a rate begins")
    parser.add_argument("--leaving", action="store_true", help="servers: who has ended leaves a peer's batch at once")
    parser.add_argument("--tune-anew", action="store_true", help="servers: also where an earlier run found a setting")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting HEED_NAME of ours")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw a curve for each server")
    http.inputs(parser)
    http.load(parser)


def run(given: argparse.Namespace) -> int:
    """Each peer in turn; then the ratios of all."""
    given.references_read = read(*given.references) if given.references else []
    print(told())
    print(json.dumps(machine()))
    rows: list[dict[str, Any]] = []
    absent: dict[str, str] = {}
    for peer in given.peers:
        try:
            rows += PEERS[peer](peer, given)
        except (Missing, NotServing, Silent) as why:
            absent[peer] = str(why)
        except subprocess.CalledProcessError as failed:
            absent[peer] = f"{failed}: {' '.join((failed.stderr or '').split())[-600:]}"
    print(ratios(rows))
    for peer, reason in absent.items():
        print(f"*** {peer} WAS NOT MEASURED: {reason}", file=sys.stderr)
    return 1 if absent else 0


def ratios(rows: list[dict[str, Any]]) -> str:
    """A table: how many times as fast as each peer we are."""
    lines = ["", f"{'Heed is so many times as fast as':<52} {'beam':>4} {'maps':>5} {'ratio':>6}"]
    lines += [
        f"{row['engine']:<52} {row['beam'] or '':>4} {row['attention']!s:>5} {row['ratio'] or math.inf:>6.2f}"
        for row in rows
        if not row["engine"].startswith("Heed")
    ]
    return "\n".join(lines)
