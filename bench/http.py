"""The service over HTTP, open loop: Poisson arrivals of real texts, latency against load, the highest load in time.

Knows nothing of the service's insides: it is asked as anybody would ask it. Latency counts from the scheduled arrival.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.load.drive import drive
from bench.load.points import HEADINGS, Point, best, climb, point, row
from bench.load.schedule import poisson
from bench.load.wire import Target, target
from bench.machine import machine, told
from bench.plot import draw
from bench.server import Server
from bench.texts import read
from bundle.manifest import Bundle

TASKS = {"text": "/v1/translate", "image": "/v1/caption"}
WORK = Path(".bench")
PATIENCE = 60.0  # seconds from when a request is sent until it counts as lost


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("served", metavar="URL|BUNDLE", help="a running server, or a bundle to start one with")
    inputs(parser)
    load(parser)
    parser.add_argument("--rates", type=_numbers, help="requests a second, 20,40,80; by default searched from --from")
    parser.add_argument("--from", dest="start", type=float, default=8, help="where the search begins")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting HEED_NAME")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the curves")


def inputs(parser: argparse.ArgumentParser) -> None:
    """What is asked, of whatever serves."""
    parser.add_argument("--texts", type=Path, nargs="+", default=[], help="a text a line; .xz files are unpacked")
    parser.add_argument("--pictures", type=Path, help="a folder of JPEG and PNG files, to be captioned")
    parser.add_argument("--beam", type=int, help="default: the manifest's")
    parser.add_argument("--attention", default="soft", choices=["none", "hard", "soft", "full"])
    parser.add_argument("--threads", type=int, default=2, help="cores, an engine each, where we start it")
    parser.add_argument("--precision", default="int8")


def load(parser: argparse.ArgumentParser) -> None:
    """How it is asked."""
    parser.add_argument("--p95", type=float, default=500, metavar="MS", help="the bound on the 95th percentile")
    parser.add_argument("--seconds", type=float, default=20, help="length of a point, --warm included")
    parser.add_argument("--warm", type=float, default=4, help="seconds at the start of a point that do not count")
    parser.add_argument("--clients", type=int, default=64, help="connections")
    parser.add_argument("--seed", type=int, default=1)


def run(given: argparse.Namespace) -> int:
    """Start what is to be started, measure, print, draw."""
    bodies = requests(given)
    print(told())
    with serving(given) as url:
        path = TASKS["image" if given.pictures else "text"]
        measure = meter(target(url, path), bodies, given)
        points = [measure(rate) for rate in given.rates] if given.rates else climb(measure, given.start, given.p95)
    found = best(points, given.p95)
    reached = "no rate tried" if found is None else f"{found.achieved:.1f} requests a second"
    print(f"highest with p95 under {given.p95:.0f} ms: {reached}")
    about = {"beam": given.beam, "attention": given.attention, "bound_ms": given.p95, "clients": given.clients}
    print(json.dumps({"best": found.told() if found else None, **about, **machine()}))
    if given.plot:
        curves = {name: [(one.achieved, getattr(one, name)) for one in points] for name in ("p50", "p95", "p99")}
        given.plot.write_text(draw(curves, title="Latency against load", bound=given.p95), "utf-8")
    return 0 if found else 1


def requests(given: argparse.Namespace) -> list[bytes]:
    """A body of JSON for each input."""
    asked: dict[str, Any] = {"attention": given.attention, **({"beam_size": given.beam} if given.beam else {})}
    if given.pictures:
        files = sorted(one for one in given.pictures.iterdir() if one.suffix.lower() in {".jpg", ".jpeg", ".png"})
        return [json.dumps({"image": base64.b64encode(one.read_bytes()).decode(), **asked}).encode() for one in files]
    if not given.texts:
        raise SystemExit("--texts or --pictures: there is nothing to ask")
    return [json.dumps({"text": text, **asked}).encode() for text in read(*given.texts)]


@contextmanager
def serving(given: argparse.Namespace) -> Iterator[str]:
    """The address of a server, one of ours started and stopped where a bundle was given."""
    if given.served.startswith("http://"):
        yield given.served.rstrip("/")
        return
    with heed(Path(given.served), given) as server:
        yield server.url
        print(f"server: at most {server.memory():.0f} MB")


def heed(folder: Path, given: argparse.Namespace, more: Mapping[str, Any] | None = None) -> Server:
    """Our own service with one bundle, not yet started; what --set says of a setting counts before all else."""
    bundle = exported(folder, given.precision)
    settings = {
        "zoo": str(folder.resolve().parent),
        "models": bundle.manifest.name,
        "engines": str(given.threads),
        "threads": "1",
        "precision": given.precision,
        **{name: str(value) for name, value in (more or {}).items()},
        **dict(one.split("=", 1) for one in given.set),
    }
    environment = {f"HEED_{name.upper()}": value for name, value in settings.items()} | {"HEED_PORT": "{port}"}
    command = [sys.executable, "-m", "service", "serve"]
    return Server(command, ready="/health/ready", log=WORK / "logs/heed.log", environment=environment)


def exported(folder: Path, precision: str) -> Bundle:
    """A bundle that has this precision: without it, another would be measured under its name."""
    bundle = Bundle(folder)
    there = bundle.manifest.graphs["step"].files
    if precision not in there:
        raise SystemExit(f"{folder} was not exported in {precision}: there is {', '.join(there)}")
    return bundle


def meter(where: Target, bodies: Sequence[bytes], given: argparse.Namespace) -> Callable[[float], Point]:
    """One point at a rate: measured, printed, and returned. Every rate draws from the same seed."""
    whole = [where.request(body) for body in bodies]
    print(HEADINGS)

    def measure(rate: float) -> Point:
        schedule = poisson(rate, given.seconds, len(whole), given.seed)
        used = time.process_time()
        drawn = [whole[i] for i in schedule.which]
        samples = drive(where, drawn, schedule.at, connections=given.clients, timeout=PATIENCE)
        found = point(samples, warm=given.warm, seconds=given.seconds, client=time.process_time() - used)
        print(row(found), flush=True)
        print(json.dumps(found.told()), flush=True)
        return found

    return measure


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]
