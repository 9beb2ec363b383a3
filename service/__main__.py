"""The command line: serve, ray, worker, translate, caption, models; all but the first two without a server.

Knows nothing of arithmetic or drawing. Each command imports what it needs: a worker needs no web server, and starts
sooner without one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bundle.manifest import BadBundle, find
from service.errors import HeedError
from service.settings import Settings
from service.telemetry import logs
from service.telemetry.traces import NotInstalled

REFUSED = 2  # exit status: the command, a bundle or the input is at fault; 1 is ours
INTERRUPTED = 130  # as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        settings = Settings()
    except ValidationError as wrong:
        return _refuse("; ".join(f"settings: {_variable(one['loc'])}{one['msg']}" for one in wrong.errors()))
    serves = asked.command in {"serve", "ray", "worker"}
    logs.install(settings.log_format, settings.log_level if serves else "warning")
    try:
        return _run(settings, asked)
    except BadBundle as broken:
        return _refuse(f"bad bundle: {broken}")
    except NotInstalled as missing:
        return _refuse(str(missing))
    except HeedError as error:
        return _refuse(f"{error.code}: {error.detail}")
    except KeyboardInterrupt:  # by then everything has been drained
        return INTERRUPTED


def _run(settings: Settings, asked: argparse.Namespace) -> int:
    if asked.command == "models":
        return _models(settings)
    if asked.command == "worker":
        from service.worker import run

        return run(settings, asked.fd)
    if asked.command == "serve":
        from service.serve import serve

        return asyncio.run(serve(settings))
    if asked.command == "ray":
        from service.cluster.run import run as cluster

        return cluster(settings, detach=asked.detach)
    from service.console import ask

    return asyncio.run(ask(settings, asked))


def _variable(place: tuple[int | str, ...]) -> str:
    return f"HEED_{str(place[0]).upper()}: " if place else ""


def _refuse(why: str) -> int:
    print(f"heed: {why}", file=sys.stderr)
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description="Attention models, served.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer over HTTP; settings are environment variables HEED_…")
    cluster = commands.add_parser("ray", help="the same on a cluster of machines; settings as above, and HEED_RAY_…")
    cluster.add_argument("--detach", action="store_true", help="leave when everything is ready, and let it run")
    worker = commands.add_parser("worker", help="an engine for a server, which starts it")
    worker.add_argument("--fd", type=int, required=True, help="number of the inherited socket to that server")
    commands.add_parser("models", help="list the bundles of the zoo")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--model", help="by default the first that fits")
    shared.add_argument("--beam", type=int, metavar="N", dest="beam_size", help="rows of the beam; 1 is greedy")
    shared.add_argument("--prefix", default="", help="what the answer must start with")
    shared.add_argument("--unit", choices=["word", "piece"], default="word", help="of the map's rows and columns")
    shared.add_argument("--map", type=Path, metavar="FILE", help="also draw the map; the ending says how, such as .svg")
    shared.add_argument("--json", action="store_true", help="print what the service would answer")
    translate = commands.add_parser("translate", parents=[shared], help="translate a text and show the map")
    translate.add_argument("text")
    translate.add_argument("--from", dest="source", metavar="CODE")
    translate.add_argument("--to", dest="target", metavar="CODE")
    caption = commands.add_parser("caption", parents=[shared], help="describe a picture and show the map")
    caption.add_argument("picture", type=Path)
    return parser


def _models(settings: Settings) -> int:
    for bundle in find(settings.zoo):
        told = bundle.manifest
        pair = f"{told.source} → {told.target}" if told.source else f"picture → {told.target}"
        scores = ", ".join(f"{score.metric} {score.value:g} ({score.data})" for score in told.scores)
        print(f"{told.name}  {told.version}  {told.task}  {pair}  {told.architecture}  {told.licence}")
        print(f"    {scores or 'not measured'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
