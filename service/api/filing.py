"""Files that are being translated: taken, worked off in the background at low priority, kept for a while, dropped.

Knows nothing of HTTP and of any kind of file. Everything lives in memory, within bounds: a restart loses what was
not fetched. A file's texts go through the desk as everybody's do, so many at a time, behind everybody else's. What is
refused is asked again with fewer texts; meanwhile another file may be worked on.
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
from service.api.problems import foreseen
from service.errors import (
    DeadlinePassed,
    EmptyText,
    FileBroken,
    HeedError,
    NotFound,
    NoWords,
    OtherScript,
    QueueFull,
    RateLimited,
    TextTooLong,
    Unavailable,
    Unsayable,
)
from service.markup.files import opened
from service.markup.files.opened import Limits, Opened
from service.tasks.contract import Task

CHUNK = 32  # texts at a time
WAIT = 1.0  # seconds before what was refused is asked again
TRIES: dict[type[Unavailable], int] = {DeadlinePassed: 3, RateLimited: 10}  # of one text alone, until the file fails
OF_A_TEXT = (EmptyText, NoWords, TextTooLong, Unsayable, OtherScript)  # what is wrong with one text and no other
QUIET = {"attention": "none", "trust": "none", "priority": "low"}
State = Literal["waiting", "working", "done", "failed"]


@dataclass(frozen=True)
class FileBounds:
    """How much may be kept, and for how long; the entry point fills it from the settings."""

    files: int = 64
    bytes: int = 256 * 2**20
    seconds: float = 3600.0
    together: int = 2  # files at work at once
    share: float = 0.75  # of the places, and of the room, that one client may take: the rest is for others
    limits: Limits = field(default_factory=Limits)


@dataclass
class Filed:
    """A file on its way. `until` is time.monotonic() seconds."""

    id: str
    owner: str | None
    who: str  # under which name the gate counts them
    name: str
    media: str
    fields: Mapping[str, Any]
    scope: Scope
    size: int  # bytes that it takes here
    until: float
    total: int
    done: int = 0
    state: State = "waiting"
    result: bytes | None = None
    error: HeedError | None = None
    fetched: bool = False
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    work: asyncio.Task[None] | None = None
    ends: asyncio.TimerHandle | None = None


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
        state = scope.get("state", {})
        who = state["guest"].who if "guest" in state else ""
        self._room(who, len(data))
        asked = from_fields(self.task, {**QUIET, **fields, "text": "text"})()
        self.task.choose(asked, self.desk.link.bundles)
        with self.desk.place():
            file = await self.desk.off_loop(lambda: opened(name, data, self.bounds.limits), seconds=True)
        texts, most = file.opened.texts, self.desk.bounds.text_characters
        if any(len(text) > most for text in texts):
            raise FileBroken("The file has a paragraph that is too long, in characters.", limit=most)
        for gone in self._room(who, file.held):  # others may have come meanwhile
            self.drop(gone)
        filed = Filed(
            id=secrets.token_urlsafe(24),
            owner=state.get("key_id"),
            who=who,
            name=file.name,
            media=file.media,
            fields={**QUIET, **fields, "format": file.opened.format},
            scope={"state": {"guest": state["guest"]} if "guest" in state else {}},
            size=file.held,
            until=time.monotonic() + self.bounds.seconds,
            total=len(texts),
        )
        self.kept[filed.id] = filed
        filed.work = asyncio.create_task(self._work(filed, file.opened))  # which alone holds the opened file
        filed.ends = asyncio.get_running_loop().call_later(self.bounds.seconds, self.drop, filed)
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
        if filed.ends is not None:
            filed.ends.cancel()  # else it would hold the file until then
        filed.result = None
        filed.finished.set()

    def close(self) -> None:
        """Forget all."""
        for filed in list(self.kept.values()):
            self.drop(filed)

    def _room(self, who: str, size: int) -> list[Filed]:
        """Which files give way to one of this size: if there is no room else, what was fetched, oldest first.

        Raises:
            QueueFull: that is not enough, or they have had their share.
        """
        kept, bounds = list(self.kept.values()), self.bounds
        own = [filed.size for filed in kept if filed.who == who and not filed.fetched]
        if len(own) >= bounds.share * bounds.files or sum(own) >= bounds.share * bounds.bytes:
            raise QueueFull("You keep too many files here: fetch some, or have them forgotten.", limit=bounds.files)
        count, room, gone = len(kept), bounds.bytes - sum(filed.size for filed in kept), list[Filed]()
        fetched = (filed for filed in kept if filed.fetched)
        while count >= bounds.files or size > room:
            if (one := next(fetched, None)) is None:
                if count >= bounds.files:
                    raise QueueFull("Too many files are kept.", limit=bounds.files)
                raise QueueFull("The files that are kept take too much room.", limit=bounds.bytes)
            gone.append(one)
            count, room = count - 1, room + one.size
        return gone

    async def _work(self, filed: Filed, file: Opened) -> None:
        answers, stride = list[str](), _Stride(min(CHUNK, self.desk.bounds.texts))
        try:
            while filed.result is None:
                async with self.seats:
                    filed.state = "working"
                    pause = await self._go_on(filed, file.texts, answers, stride)
                    if pause is None:
                        filed.result = await self.desk.off_loop(lambda: file.close(answers), seconds=True)
                if pause is not None:
                    await asyncio.sleep(pause)
            filed.state, filed.size = "done", len(filed.result)
        except Exception as error:  # noqa: BLE001 - nobody waits for this task: what broke is told to whoever asks
            found = foreseen(error, filed.id[:8])  # whoever knows the whole id may fetch the file
            found.__context__ = found.__cause__ = None
            filed.state, filed.size = "failed", 0
            filed.error = found.with_traceback(None)  # where it was raised, the file is still known
        finally:
            filed.finished.set()

    async def _go_on(self, filed: Filed, texts: Sequence[str], answers: list[str], stride: _Stride) -> float | None:
        """What further texts became, in order; one that cannot be translated stays as it is.

        None once all are answered, seconds until the next time if some were refused.

        Raises:
            HeedError: the file cannot be translated.
        """
        while len(answers) < len(texts):
            some = list(texts[len(answers) : len(answers) + stride.most])
            try:
                answers += await self._said(filed, some)
            except Unavailable as refused:
                return stride.refused(refused, len(some))
            except OF_A_TEXT:
                if len(some) == 1:
                    answers += some
                stride.most = 1
            else:
                stride.answered()
            filed.done = len(answers)
        return None

    async def _said(self, filed: Filed, texts: Sequence[str]) -> list[str]:
        parse = from_fields(self.task, {**filed.fields, "text": list(texts)})
        async with self.desk.understood(self.task, parse, filed.id) as order:
            try:
                await self.charge(filed.scope, rows := order.rows())
            except RateLimited as refused:
                refused.actual = rows
                raise
            return [result.text for result in await self.desk.results(order)]


class _Stride:
    """How many texts are asked at once: fewer after a refusal, more after an answer."""

    def __init__(self, whole: int) -> None:
        self.whole = self.most = whole
        self.tries = 0  # of one text alone

    def answered(self) -> None:
        """So many passed."""
        self.most, self.tries = min(self.whole, 2 * self.most), 0

    def refused(self, error: Unavailable, asked: int) -> float:
        """Seconds after which to ask for half as many.

        Raises:
            Unavailable: the error itself, where asking again is of no use.
        """
        if not isinstance(error, DeadlinePassed | QueueFull | RateLimited):
            raise error
        limited = isinstance(error, RateLimited) and error.limit is not None
        never = limited and (error.actual or 0) > (error.limit or 0)  # however long they wait
        if asked == 1 and type(error) in TRIES:
            self.tries += 1
            if never or self.tries >= TRIES[type(error)]:
                raise error
        self.most = max(1, asked // 2)
        return 0.0 if never else error.retry_after or WAIT
