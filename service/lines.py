"""Many texts one after the other through one desk: many at once, in order, and none spoils the others.

Knows nothing of files, terminals or command lines. A line that nobody can translate comes back as it was, with why.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from service.api.desk import Desk
from service.errors import EmptyText, NoWords, OtherScript, TextTooLong
from service.maps.view import View
from service.tasks.contract import Asked, Task

T = TypeVar("T")
PASSED = (NoWords, OtherScript, TextTooLong)  # what may be wrong with one line; anything else is wrong with all of them


class Line(NamedTuple):
    """A line that went through: its result as the service would answer it, None if it was passed on as it was."""

    text: str  # the translation, or the line itself
    result: dict[str, Any] | None
    why: str | None = None  # the code of what kept it from being translated
    views: tuple[View, ...] = ()


async def through(
    desk: Desk,
    task: Task[Any, Any],
    request: Callable[[str], Asked],
    lines: AsyncIterator[str],
    *,
    window: int,
    views: int = 0,
) -> AsyncGenerator[Line, None]:
    """Each line's translation, in order. window: lines that are worked on at once; views: of how many, to be drawn.

    Raises:
        HeedError: what is wrong with every line; or the engine.
    """
    seen = 0
    working: asyncio.Queue[asyncio.Task[Line] | None] = asyncio.Queue()
    room = asyncio.Semaphore(window)

    async def read() -> None:
        nonlocal seen
        try:
            async for text in lines:
                await room.acquire()
                working.put_nowait(asyncio.create_task(_line(desk, task, request, text, draws=seen < views)))
                seen += 1
        finally:
            working.put_nowait(None)

    reader = asyncio.create_task(read())
    try:
        while (line := await working.get()) is not None:
            yield await line
            room.release()
        await reader
    finally:
        left = [reader, *(one for one in _emptied(working) if one is not None)]
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _emptied(queue: asyncio.Queue[T]) -> Iterator[T]:
    while not queue.empty():
        yield queue.get_nowait()


async def _line(desk: Desk, task: Task[Any, Any], request: Callable[[str], Asked], text: str, *, draws: bool) -> Line:
    if not text.strip():
        return Line(text, None)
    shown: list[View] = []

    def render(views: Sequence[View]) -> bytes:
        shown.extend(views)
        return b""

    try:
        async with desk.understood(task, lambda: request(text), "line", size=len(text.encode())) as order:
            (result,) = json.loads((await desk.answer(order))[0])["results"]
            if draws:
                await desk.answer(order, render)
    except EmptyText:  # what a model sees is empty
        return Line(text, None)
    except PASSED as refused:
        return Line(text, None, refused.code)
    return Line(result["text"], result, None, tuple(shown))
