"""Files that are being translated: taken, worked off in the background at low priority, kept for a while, dropped.

Knows nothing of HTTP and of any kind of file. Everything lives in memory, within bounds: a restart loses what was
not fetched. A file's texts go through the desk as everybody's do, so many at a time, behind everybody else's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.types import Scope

from service.api.bodies import from_fields
from service.api.desk import Desk
from service.errors import (
    DeadlinePassed,
    FileBroken,
    HeedError,
    InternalError,
    Meaningless,
    NotFound,
    QueueFull,
    RateLimited,
    Unavailable,
)
from service.markup.files import File, opened
from service.markup.files.opened import Limits
from service.tasks.contract import Task

CHUNK = 32  # texts at a time
WAIT = 1.0  # seconds before what was refused is asked again
QUIET = {"attention": "none", "trust": "none", "priority": "low"}
State = Literal["waiting", "working", "done", "failed"]


@dataclass(frozen=True)
class FileBounds:
    """How much may be kept, and for how long; the entry point fills it from the settings."""

    files: int = 64
    bytes: int = 256 * 2**20
    seconds: float = 3600.0
    together: int = 2  # files at work at once
    limits: Limits = field(default_factory=Limits)


@dataclass
class Filed:
    """A file on its way. `until` is time.monotonic() seconds."""

    id: str
    owner: str | None
    file: File
    fields: Mapping[str, Any]
    scope: Scope
    size: int
    until: float
    total: int
    done: int = 0
    state: State = "waiting"
    result: bytes | None = None
    error: HeedError | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    work: asyncio.Task[None] | None = None


class Filing:
    """One for the whole service; charge counts the beam rows of a request."""

    def __init__(
        self, desk: Desk, task: Task[Any, Any], charge: Callable[[Scope, int], Any], bounds: FileBounds
    ) -> None:
        self.desk, self.task, self.charge, self.bounds = desk, task, charge, bounds
        self.kept: dict[str, Filed] = {}
        self.seats = asyncio.Semaphore(bounds.together)

    async def take(self, name: str, data: bytes, fields: Mapping[str, Any], scope: Scope) -> Filed:
        """A file to translate, with the further fields of a request; its work begins.

        Raises:
            QueueFull: as many files, or bytes, are kept as may be.
            FileUnknown, FileBroken: it cannot be read.
            Meaningless: it cannot be translated so.
        """
        self._room(len(data))
        asked = from_fields(self.task, {**QUIET, **fields, "text": "text"})()
        self.task.choose(asked, self.desk.link.bundles)
        file = await self.desk.off_loop(lambda: opened(name, data, self.bounds.limits))
        most = self.desk.bounds.text_characters
        if any(len(text) > most for text in file.opened.texts):
            raise FileBroken("The file has a paragraph that is too long, in characters.", limit=most)
        self._room(len(data))  # others may have come meanwhile
        state = scope.get("state", {})
        filed = Filed(
            id=secrets.token_urlsafe(24),
            owner=state.get("key_id"),
            file=file,
            fields={**QUIET, **fields, "format": file.opened.format},
            scope={"state": {"guest": state["guest"]} if "guest" in state else {}},
            size=len(data),
            until=time.monotonic() + self.bounds.seconds,
            total=len(file.opened.texts),
        )
        self.kept[filed.id] = filed
        filed.work = asyncio.create_task(self._work(filed))
        asyncio.get_running_loop().call_later(self.bounds.seconds, self.drop, filed)
        return filed

    def find(self, id_: str, owner: str | None, *, anyones: bool = False) -> Filed:
        """A file by its id, for whoever brought it.

        Raises:
            NotFound: there is none, or it is somebody else's, or its time is over.
        """
        filed = self.kept.get(id_)
        if filed is None or not (anyones or filed.owner == owner):
            raise NotFound("There is no such file, or its time is over.")
        return filed

    def drop(self, filed: Filed) -> None:
        """Forget a file; work on it ends."""
        self.kept.pop(filed.id, None)
        if filed.work is not None:
            filed.work.cancel()
        filed.result = None
        filed.finished.set()

    def close(self) -> None:
        """Forget all."""
        for filed in list(self.kept.values()):
            self.drop(filed)

    def _room(self, size: int) -> None:
        if len(self.kept) >= self.bounds.files:
            raise QueueFull("Too many files are kept.", limit=self.bounds.files)
        if sum(filed.size for filed in self.kept.values()) + size > self.bounds.bytes:
            raise QueueFull("The files that are kept take too much room.", limit=self.bounds.bytes)

    async def _work(self, filed: Filed) -> None:
        try:
            async with self.seats:
                filed.state = "working"
                answers = await self._answers(filed)
            filed.result = await self.desk.off_loop(lambda: filed.file.opened.close(answers))
            filed.size += len(filed.result)
            filed.state = "done"
        except HeedError as error:
            filed.state, filed.error = "failed", error
        except Exception:  # noqa: BLE001 - nobody waits for this task: what broke is told to whoever asks
            filed.state, filed.error = "failed", InternalError()
        finally:
            filed.finished.set()

    async def _answers(self, filed: Filed) -> list[str]:
        """What every text became, in order; one that cannot be translated stays as it is."""
        texts, out, most = filed.file.opened.texts, list[str](), min(CHUNK, self.desk.bounds.texts)
        while len(out) < len(texts):
            some = list(texts[len(out) : len(out) + most])
            try:
                out += await self._said(filed, some)
            except Unavailable as refused:
                if isinstance(refused, DeadlinePassed):
                    most = max(1, most // 2)
                elif not isinstance(refused, (QueueFull, RateLimited)):
                    raise
                await asyncio.sleep(refused.retry_after or WAIT)
            except Meaningless:
                if len(some) == 1:
                    out += some
                most = 1
            else:
                most = min(CHUNK, self.desk.bounds.texts, most * 2)
            filed.done = len(out)
        return out

    async def _said(self, filed: Filed, texts: Sequence[str]) -> list[str]:
        parse = from_fields(self.task, {**filed.fields, "text": list(texts)})
        async with self.desk.understood(self.task, parse, filed.id) as order:
            await self.charge(filed.scope, order.rows())
            return [result.text for result in await self.desk.results(order)]
