"""The command line: serve, translate, caption, models; the last three without a server.

Knows nothing of arithmetic or drawing: it reads the settings and introduces the rooms to each other.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from pydantic import ValidationError

from bundle.manifest import BadBundle, find
from service.api.app import create_app
from service.api.desk import Desk
from service.api.problems import meaning
from service.engine.catalog import Catalog
from service.errors import HeedError, ImageMissing, Malformed
from service.link.local import LocalLink
from service.maps import text
from service.maps.formats import FORMATS, Format
from service.maps.view import View
from service.settings import Settings
from service.tasks import discover
from service.tasks.contract import Asked, Bounds

ENDINGS: dict[str, Format] = {f".{format_.extension}": format_ for format_ in FORMATS.values()}
REFUSED = 2  # exit status: the command, a bundle or the input is at fault; 1 is ours


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    asked = _parser().parse_args(arguments)
    level = logging.INFO if asked.command == "serve" else logging.WARNING
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=level)
    try:
        settings = Settings()
    except ValidationError as wrong:
        return _refuse(
            "; ".join(
                f"settings: HEED_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in wrong.errors()
            )
        )
    try:
        if asked.command == "models":
            return _models(settings)
        return asyncio.run(_serve(settings) if asked.command == "serve" else _ask(settings, asked))
    except BadBundle as broken:
        return _refuse(f"bad bundle: {broken}")
    except HeedError as error:
        return _refuse(f"{error.code}: {error.detail}")


def _variable(place: tuple[int | str, ...]) -> str:
    return f"HEED_{str(place[0]).upper()}: " if place else ""


def _refuse(why: str) -> int:
    print(f"heed: {why}", file=sys.stderr)
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description="Attention models, served.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer over HTTP; settings are environment variables HEED_…")
    commands.add_parser("models", help="list the bundles of the zoo")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--model", help="by default the first that fits")
    shared.add_argument("--beam", type=int, metavar="N", dest="beam_size", help="rows of the beam; 1 is greedy")
    shared.add_argument("--prefix", default="", help="what the answer must start with")
    shared.add_argument("--unit", choices=["word", "piece"], default="word", help="of the map's rows and columns")
    shared.add_argument(
        "--map", type=Path, metavar="FILE", help=f"also draw the map; the ending says how: {' '.join(ENDINGS)}"
    )
    shared.add_argument("--json", action="store_true", help="print what the service would answer")
    translate = commands.add_parser("translate", parents=[shared], help="translate a text and show the map")
    translate.add_argument("text")
    translate.add_argument("--from", dest="source", metavar="CODE")
    translate.add_argument("--to", dest="target", metavar="CODE")
    caption = commands.add_parser("caption", parents=[shared], help="describe a picture and show the map")
    caption.add_argument("picture", type=Path)
    return parser


def _link(settings: Settings, names: Sequence[str] | None) -> LocalLink:
    return LocalLink(
        lambda: Catalog(
            settings.zoo,
            names=names,
            threads=settings.threads,
            precision=settings.precision,
            rows=settings.rows,
            queue=settings.queue,
        )
    )


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        text_characters=settings.max_text_characters,
        texts=settings.max_texts,
        pixels=settings.max_pixels,
        beam_size=settings.max_beam_size,
        n_best=settings.max_n_best,
        length=settings.max_length,
    )


async def _serve(settings: Settings) -> int:
    """Start the engine first, so that a broken bundle is one line and not a traceback of the server."""
    link = _link(settings, settings.models)
    await link.start()
    app = create_app(
        link,
        bounds=_bounds(settings),
        max_body_bytes=settings.max_body_bytes,
        max_requests=settings.max_requests,
        workers=settings.workers,
        deadline_seconds=settings.deadline_seconds,
        drain_seconds=settings.drain_seconds,
    )
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,  # ours has no query strings, which hold what users write
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )
    server = uvicorn.Server(config)
    await server.serve()
    return 0 if server.started else 1


def _models(settings: Settings) -> int:
    for bundle in find(settings.zoo):
        told = bundle.manifest
        pair = f"{told.source} → {told.target}" if told.source else f"picture → {told.target}"
        scores = ", ".join(f"{score.metric} {score.value:g} ({score.data})" for score in told.scores)
        print(f"{told.name}  {told.version}  {told.task}  {pair}  {told.architecture}  {told.licence}")
        print(f"    {scores or 'not measured'}")
    return 0


async def _ask(settings: Settings, asked: argparse.Namespace) -> int:
    """One request to the engine in this very process, its answer printed."""
    task, request = discover()[asked.command], _request(asked)
    if asked.map is not None and asked.map.suffix.lower() not in ENDINGS:
        raise Malformed(f"--map: a map's file ends in one of {' '.join(ENDINGS)}")
    there = {bundle.manifest.name: bundle for bundle in find(settings.zoo)}
    link = _link(settings, [task.choose(request, there).manifest.name])
    await link.start()
    desk = Desk(link, _bounds(settings), deadline=settings.deadline_seconds)

    def render(views: Sequence[View]) -> bytes:
        if asked.map is not None:
            asked.map.write_bytes(ENDINGS[asked.map.suffix.lower()].render(views))
        return text.drawn(views, ansi=_coloured()).encode(errors="replace")

    try:
        drawn, _ = await desk.ask(task, lambda: request, "console", render)
        written = (await desk.ask(task, lambda: request, "console"))[0] + b"\n" if asked.json else drawn
    finally:
        await link.drain(0)
        desk.close()
    sys.stdout.buffer.write(written)
    sys.stdout.flush()
    return 0


def _request(asked: argparse.Namespace) -> Asked:
    """The typed request of a command line.

    Raises:
        HeedError: it makes no sense, or the picture cannot be opened.
    """
    fields = {name: getattr(asked, name) for name in ("model", "beam_size", "prefix", "unit")}
    if asked.command == "caption":
        try:
            fields["image"] = asked.picture.read_bytes()
        except OSError as missing:
            raise ImageMissing(f"{asked.picture}: {missing.strerror}") from None
    else:
        fields |= {name: getattr(asked, name) for name in ("text", "source", "target")}
    try:
        request: Asked = discover()[asked.command].request.model_validate(fields)
    except ValidationError as wrong:
        raise meaning(wrong) from None
    return request


def _coloured() -> bool:
    """Whether standard output is a terminal that shows 24-bit colours, by the variable that such terminals set."""
    return sys.stdout.isatty() and os.environ.get("COLORTERM") in ("truecolor", "24bit")


if __name__ == "__main__":
    sys.exit(main())
