"""translate and caption: one request to an engine in this very process, its answer printed.

Knows nothing of servers or of other processes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from bundle.zoo import everything
from service.api.desk import Desk
from service.api.problems import meaning
from service.errors import ImageMissing, Malformed
from service.maps import text
from service.maps.formats import FORMATS, Format
from service.maps.view import View
from service.serve import bounds, local_link, long_texts
from service.settings import Settings
from service.tasks import discover
from service.tasks.contract import Asked, Task

ENDINGS: dict[str, Format] = {f".{format_.extension}": format_ for format_ in FORMATS.values()}


async def ask(settings: Settings, asked: argparse.Namespace) -> int:
    """Ask, draw and print; the exit status.

    Raises:
        HeedError: the request, or the engine.
        BadBundle: one cannot be served.
    """
    task, request = discover()[asked.command], _request(asked)
    if asked.map is not None and asked.map.suffix.lower() not in ENDINGS:
        raise Malformed(f"--map: a map's file ends in one of {' '.join(ENDINGS)}")
    link = local_link(settings, _needed(task, request, settings))
    await link.start()
    desk = Desk(link, bounds(settings), deadline=settings.deadline_seconds, **long_texts(settings))

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


def _needed(task: Task[Any, Any], request: Asked, settings: Settings) -> list[str]:
    """The models that a request takes: one, or two where one translates what the other says."""
    zoo = everything(settings.zoo)
    bundle = task.choose(request, zoo)
    others = (other.id for one in task.encode(request, bundle, bounds(settings), zoo) for other in one.others)
    return list(dict.fromkeys([bundle.id, *others]))


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
