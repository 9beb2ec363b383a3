"""An answer as server-sent events: framing, pings, and an end that is always told, whatever it is.

Knows nothing of any one task, and not how to notice that a client left: whoever runs this cancels it then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from starlette.types import Message, Send

from service.api.desk import GRACE, Desk, in_time
from service.api.feed import Feed, at_work
from service.api.order import Order
from service.api.presence import ClientGone
from service.api.problems import Problem, foreseen, told
from service.api.telling import Telling, tellings
from service.errors import HeedError
from service.maps.envelope import Encoding

EVENTS = "text/event-stream"
HEADERS = {
    "Content-Type": f"{EVENTS}; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # or nginx would collect it all before it passes on the first word
    "Vary": "Accept",
}


async def stream(desk: Desk, order: Order, send: Send, ping_seconds: float) -> HeedError | None:
    """Send an order's answer while it is made; the error that ended it after it had begun, if one did.

    Raises:
        HeedError: it was refused, before anything was sent.
        ClientGone: the client left, or does not read.
    """
    seats = order.seats(desk.window)
    async with at_work(desk.link, order, partial(desk.heard, order), seats) as feed:
        wire = Wire(send, order.asked.encoding)
        try:
            async with in_time(order):
                await wire.begin()
                await _tell(desk, order, feed, wire, ping_seconds)
                await wire.end()
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - too late for another status: it is the last event
            failure = foreseen(error, order.id)
            await _tell_last(wire, told(failure, order.id))
            return failure
    return None


async def _tell(desk: Desk, order: Order, feed: Feed, wire: Wire, ping_seconds: float) -> None:
    """Everything, as it comes, until every input has its end.

    Raises:
        Exception: what ended a job instead; the tokens before it are told.
    """
    unfinished = tellings(order, feed)
    await wire.say([("start", one) for one in await desk.off_loop(lambda: [text.start() for text in unfinished])])
    while unfinished:
        if not await feed.change(ping_seconds):
            await wire.ping()
            continue
        for text in list(unfinished):
            if await _told(text, wire):
                await wire.say([("done", await desk.off_loop(text.end))])
                unfinished.remove(text)
        feed.check()


async def _told(text: Telling, wire: Wire) -> bool:
    """Say what is new of a text; whether that was all of it."""
    while True:
        ended = text.ended()  # looked at before the news, which then are all there are
        while news := text.live.news():
            await wire.say(news)
        if not ended:
            return False
        if not text.next():
            return True
        await wire.say([("start", text.start())])


async def _tell_last(wire: Wire, problem: Problem) -> None:
    """An error as the last event, unless the client itself is the one who is slow."""
    try:
        async with asyncio.timeout(GRACE):
            await wire.say([("error", problem)])
            await wire.end()
    except TimeoutError:
        raise ClientGone from None


def framed(name: str, event: BaseModel, step: int, encoding: Encoding = "float") -> bytes:
    """An event as it is sent, the weights of its maps as they were asked for."""
    data = event.model_dump_json(exclude_none=True, context={"encoding": encoding})
    return format_sse_event(data_str=data, event=name, id=str(step))


class Wire:
    """The way to one client. Each call waits until its connection takes more: nothing piles up here."""

    def __init__(self, send: Send, encoding: Encoding = "float") -> None:
        self.asgi, self.encoding, self.step = send, encoding, 0

    async def begin(self) -> None:
        """The head of the answer."""
        headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def say(self, events: Sequence[tuple[str, BaseModel]]) -> None:
        """Events by name, numbered from 0."""
        body = b"".join(framed(name, event, self.step + i, self.encoding) for i, (name, event) in enumerate(events))
        self.step += len(events)
        await self._body(body)

    async def ping(self) -> None:
        """A comment, so that proxies see that somebody is there."""
        await self._body(KEEPALIVE_COMMENT)

    async def end(self) -> None:
        """Nothing more comes."""
        await self._body(b"", more=False)

    async def _body(self, body: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _send(self, message: Message) -> None:
        try:
            await self.asgi(message)
        except OSError:  # what ASGI servers raise here, those that do
            raise ClientGone from None
