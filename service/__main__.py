"""The command line: serve and ray serve; translate, caption, keys and models need no server, models ACTION asks one.

A worker is started by a server. Knows nothing of arithmetic or drawing. Each command imports what it needs: a worker
needs no web server, and starts sooner without one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bundle.manifest import BadBundle
from bundle.zoo import find
from service.errors import HeedError
from service.keys import commands as keys
from service.keys.file import BadKeys
from service.settings import Settings
from service.telemetry import logs
from service.telemetry.traces import NotInstalled

REFUSED = 2  # exit status: the command, a bundle or the input is at fault; 1 is ours
INTERRUPTED, UNREAD = 130, 141  # as shells have it
ADMIN_PORT = 8001  # where `models` looks for a service if nobody says


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
    except BadKeys as broken:
        return _refuse(f"bad keys: {broken}")
    except NotInstalled as missing:
        return _refuse(str(missing))
    except HeedError as error:
        return _refuse(f"{error.code}: {error.detail}")
    except KeyboardInterrupt:  # by then everything has been drained
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its exit
        return UNREAD


def _run(settings: Settings, asked: argparse.Namespace) -> int:
    if asked.command == "keys":
        if settings.keys_file is None:
            return _refuse("settings: HEED_KEYS_FILE: names no file")
        return keys.run(settings.keys_file, asked)
    if asked.command == "models" and asked.action is None:
        return _models(settings)
    if asked.command == "models":
        from service.remote import ask as ask_for_models

        asked.url = asked.url or f"http://{settings.admin_host}:{settings.admin_port or ADMIN_PORT}"
        return ask_for_models(asked)
    if asked.command == "worker":
        from service.worker import run

        return run(settings, asked.fd, asked.models.split(",") if asked.models else None)
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
    worker.add_argument("--models", metavar="ID,…", help="what it is to load, where that is not what the settings say")
    keys.options(commands.add_parser("keys", help="API keys: make, list, revoke; in the file of HEED_KEYS_FILE"))
    _add_models(commands.add_parser("models", help="list the zoo; or what is served, and change it"))
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--model", help="by default the first that fits")
    shared.add_argument("--beam", type=int, metavar="N", dest="beam_size", help="rows of the beam; 1 is greedy")
    shared.add_argument("--prefix", default="", help="what the answer must start with")
    shared.add_argument("--unit", choices=["word", "piece"], default="word", help="of the map's rows and columns")
    shared.add_argument("--map", type=Path, metavar="FILE", help="also draw the map; the ending says how, such as .svg")
    shared.add_argument("--json", action="store_true", help="print what the service would answer")
    translate = commands.add_parser("translate", parents=[shared], help="translate a text and show the map; or lines")
    translate.add_argument("text", nargs="?", help="- reads lines from standard input, and writes one for each")
    translate.add_argument("--file", type=Path, nargs="+", dest="files", metavar="FILE", help="the same, from files")
    translate.add_argument("--from", dest="source", metavar="CODE")
    translate.add_argument("--to", dest="target", metavar="CODE")
    translate.set_defaults(files=None)
    caption = commands.add_parser("caption", parents=[shared], help="describe a picture and show the map")
    caption.add_argument("picture", type=Path)
    return parser


def _add_models(parser: argparse.ArgumentParser) -> None:
    """Without an action the zoo is listed; with one, a running service is asked."""
    actions = parser.add_subparsers(dest="action")
    running = argparse.ArgumentParser(add_help=False)
    running.add_argument("--url", help="of the admin listener; by default what HEED_ADMIN_HOST and _PORT say")
    actions.add_parser("list", parents=[running], help="what is loaded, and what could be")
    helps = {
        "load": "load one of the zoo, beside those that are served",
        "unload": "let one finish what it was asked, and free its memory",
        "default": "choose what a name alone means",
    }
    made = {name: actions.add_parser(name, parents=[running], help=told) for name, told in helps.items()}
    for one in made.values():
        one.add_argument("model", help="name or name@version")
    made["load"].add_argument("--default", action="store_true", help="its name alone means it from then on")
    made["load"].add_argument("--replace", action="store_true", help="the same, and unload the version it meant before")
    made["default"].add_argument("--first", action="store_true", help="also what its task does if no model is named")


def _models(settings: Settings) -> int:
    for bundle in find(settings.zoo):
        told = bundle.manifest
        pair = ", ".join(f"{one.source} → {one.target}" for one in told.pairs) or f"picture → {told.target}"
        scores = ", ".join(f"{score.metric} {score.value:g} ({score.data})" for score in told.scores)
        print(f"{told.name}  {told.version}  {told.task}  {pair}  {told.architecture}  {told.licence}")
        print(f"    {scores or 'not measured'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
