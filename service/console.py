"""translate and caption: one request, or one a line, to an engine in this very process, its answer printed.

Knows nothing of servers or of other processes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from pydantic import ValidationError
from tqdm import tqdm

from bundle.zoo import everything
from service.api.desk import Desk
from service.api.problems import meaning
from service.errors import ImageMissing, Malformed
from service.lines import through
from service.maps import text
from service.maps.formats import FORMATS, Format
from service.maps.view import MOST_VIEWS, View
from service.serve import bounds, desk_bounds, local_link
from service.settings import Settings
from service.stdio import read, total
from service.tasks import discover
from service.tasks.contract import Asked, Task

STDIN, HOUR = "-", 3600.0
SAMPLE = "2"  # a line that says nothing of its language
ENDINGS: dict[str, Format] = {f".{format_.extension}": format_ for format_ in FORMATS.values()}


async def ask(settings: Settings, asked: argparse.Namespace) -> int:
    """Ask, draw and print; the exit status.

    Raises:
        HeedError: the request, or the engine.
        BadBundle: one cannot be served.
    """
    if asked.map is not None and asked.map.suffix.lower() not in ENDINGS:
        raise Malformed(f"--map: a map's file ends in one of {' '.join(ENDINGS)}")
    if asked.command == "translate" and (asked.files or asked.text in (None, STDIN)):
        return await _lines(settings, asked)
    task, request = discover()[asked.command], _request(asked)
    link = local_link(settings, _needed(task, request, settings))
    await link.start()
    desk = Desk(link, bounds(settings), deadline=settings.deadline_seconds, **desk_bounds(settings))

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


async def _lines(settings: Settings, asked: argparse.Namespace) -> int:
    """A line of output for each of input, in order; what could not be translated is counted in the end.

    Raises:
        HeedError: the request, or the engine.
        BadBundle: one cannot be served.
    """
    task, files = discover()[asked.command], asked.files or []
    if not files and asked.text is None:
        raise Malformed("translate: a text, or - for lines of standard input, or --file")
    if files and asked.text is not None:
        raise Malformed("translate: a text or --file, not both")
    wants = {} if asked.map is not None or asked.json else {"attention": "none", "trust": "none"}

    def requests(line: str) -> Asked:
        return _request(asked, text=line, **wants)

    auto = (asked.source or "").lower() == "auto"  # each line may need another model: all are loaded
    link = local_link(settings, settings.models if auto else _needed(task, requests(SAMPLE), settings))
    await link.start()
    desk = Desk(link, bounds(settings), deadline=HOUR, **desk_bounds(settings))
    window = settings.queue // settings.max_beam_size  # so many fit the queue, whatever their beam
    passed: Counter[str] = Counter()
    views: list[View] = []
    most = 0 if asked.map is None else MOST_VIEWS
    try:
        bar = tqdm(total=total(files), unit=" lines", disable=None, file=sys.stderr)
        async with aclosing(through(desk, task, requests, read(files), window=window, views=most)) as lines:
            with bar:
                async for line in lines:
                    _put(json.dumps(line.result, ensure_ascii=False) if asked.json else line.text)
                    passed.update([line.why] if line.why else [])
                    views += line.views
                    bar.update()
    finally:
        await link.drain(0)
        desk.close()
    if views:
        asked.map.write_bytes(ENDINGS[asked.map.suffix.lower()].render(views))
    if passed:
        told = ", ".join(f"{count} {why}" for why, count in passed.items())
        print(f"heed: lines passed on as they were: {told}", file=sys.stderr)
    return 0


def _put(line: str) -> None:
    """A line of output, at once: somebody may wait for it at the other end of a pipe."""
    sys.stdout.buffer.write(f"{line}\n".encode(errors="replace"))
    sys.stdout.flush()


def _needed(task: Task[Any, Any], request: Asked, settings: Settings) -> list[str]:
    """The models that a request takes: one, or two where one translates what the other says."""
    zoo = everything(settings.zoo)
    bundle = task.choose(request, zoo)
    others = (other.id for one in task.encode(request, bundle, bounds(settings), zoo) for other in one.others)
    return list(dict.fromkeys([bundle.id, *others]))


def _request(asked: argparse.Namespace, text: str | None = None, **options: str) -> Asked:
    """The typed request of a command line, for one of its lines.

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
        fields |= {name: getattr(asked, name) for name in ("text", "source", "target")} | options
        fields["text"] = asked.text if text is None else text
    try:
        request: Asked = discover()[asked.command].request.model_validate(fields)
    except ValidationError as wrong:
        raise meaning(wrong) from None
    return request


def _coloured() -> bool:
    """Whether standard output is a terminal that shows 24-bit colours, by the variable that such terminals set."""
    return sys.stdout.isatty() and os.environ.get("COLORTERM") in ("truecolor", "24bit")
