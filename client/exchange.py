"""One question from first attempt to answer, and one stream from first byte to last: written once, for both clients.

Knows nothing of which client asks. All waiting is done by a `Wire`; with one whose methods never really wait, these
coroutines run to their end at once, which is what the synchronous client does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import httpx

from .asking import Question
from .errors import Broken, HeedError, Unreachable, of_problem
from .events import Event, Parser
from .reading import Unreadable
from .retry import Retry, retry_after

T = TypeVar("T")
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # nothing of the request had left
EVENTS = "text/event-stream"


class Wire(Protocol):
    """The connections of a client, and its patience."""

    retry: Retry
    chance: Callable[[], float]  # from 0 to 1, anew each time
    clock: Callable[[], float]  # seconds since 1970

    def request(self, question: Question[Any], accept: str) -> httpx.Request: ...

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The head of an answer; its body is still to come."""
        ...

    async def body(self, response: httpx.Response) -> bytes:
        """All of its body; the connection is free then."""
        ...

    def chunks(self, response: httpx.Response) -> Any:
        """An iterator over its body, for `chunk`."""
        ...

    async def chunk(self, chunks: Any) -> bytes | None:
        """The next bytes; None at the end."""
        ...

    async def leave(self, response: httpx.Response) -> None:
        """Give an answer up, read to its end or not."""
        ...

    async def sleep(self, seconds: float) -> None: ...


async def asked(wire: Wire, question: Question[T]) -> T:
    """The answer to a question.

    Raises:
        HeedError: there is none.
    """
    response = await _accepted(wire, question, "application/json")
    body = await _body(wire, response)
    try:
        told: Any = _json(response, body)
        return question.reads(told)
    except (ValueError, KeyError, TypeError, AttributeError, Unreadable) as odd:
        said = f"an answer that cannot be read: {odd}"
        raise Broken(said, code="unreadable_answer", status=response.status_code, request_id=_id(response)) from odd


@dataclass
class Streamed:
    """The events of one answer, as they come. Whoever stops early calls `close`: the server stops working then."""

    wire: Wire
    question: Question[Any]
    response: httpx.Response | None = None
    chunks: Any = None
    parser: Parser = field(default_factory=Parser)
    ready: deque[Event] = field(default_factory=deque)
    failure: HeedError | None = None
    over: bool = False

    async def next(self) -> Event | None:
        """The next event; None after the last.

        Raises:
            HeedError: the server refused, failed, or went away before the end.
        """
        try:
            while not self.ready and not self.over:
                await self._more()
        except BaseException:
            await self.close()
            raise
        return self.ready.popleft() if self.ready else None

    async def _more(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self.response is None:
            self.response = await _accepted(self.wire, self.question, EVENTS)
            self.chunks = self.wire.chunks(self.response)
        try:
            chunk = await self.wire.chunk(self.chunks)
        except httpx.TransportError as lost:
            raise _lost(lost, self.response) from lost
        if chunk is not None:
            try:
                self.ready.extend(self.parser.feed(chunk))
            except HeedError as told:
                self.failure = told  # after the events before it
        elif self.parser.open or not self.parser.begun:
            raise Unreachable("the stream ended before its answer", code="cut_off", request_id=_id(self.response))
        else:
            await self.close()

    async def close(self) -> None:
        """Leave; nothing more comes."""
        self.over = True
        self.ready.clear()
        if self.response is not None:
            await self.wire.leave(self.response)


async def _accepted(wire: Wire, question: Question[Any], accept: str) -> httpx.Response:
    """The head of a good answer, after as many attempts as the wire's patience allows."""
    tried = 0
    while True:
        found = await _attempt(wire, question, accept)
        if isinstance(found, httpx.Response):
            return found
        failure, sent = found
        tried += 1
        wait = wire.retry.wait(tried, failure, sent=sent, chance=wire.chance()) if question.retried else None
        if wait is None:
            raise failure
        await wire.sleep(wait)


async def _attempt(wire: Wire, question: Question[Any], accept: str) -> httpx.Response | tuple[HeedError, bool]:
    """The head of a good answer; or why there is none, and whether the request had left by then."""
    try:
        response = await wire.send(wire.request(question, accept))
    except httpx.TransportError as lost:
        return _lost(lost, None), not isinstance(lost, UNSENT)
    if response.status_code < 300:
        return response
    return _problem(response, await _body(wire, response), wire.clock()), True


async def _body(wire: Wire, response: httpx.Response) -> bytes:
    try:
        return await wire.body(response)
    except httpx.TransportError as lost:
        raise _lost(lost, response) from lost


def _problem(response: httpx.Response, body: bytes, now: float) -> HeedError:
    """What an answer that is no good one tells; a proxy's page has only its status."""
    try:
        told = _json(response, body)
    except ValueError:
        told = None
    wait = retry_after(response.headers.get("retry-after"), now)
    known = told if isinstance(told, dict) else {}
    return of_problem(known, response.status_code, request_id=_id(response), retry_after=wait)


def _json(response: httpx.Response, body: bytes) -> Any:
    return httpx.Response(response.status_code, content=body).json()


def _id(response: httpx.Response | None) -> str | None:
    return None if response is None else response.headers.get("x-request-id")


def _lost(lost: httpx.TransportError, response: httpx.Response | None) -> Unreachable:
    code = "timed_out" if isinstance(lost, httpx.TimeoutException) else "unreachable"
    return Unreachable(str(lost) or type(lost).__name__, code=code, request_id=_id(response))
