"""The two clients, `Heed` and `AsyncHeed`: the same methods, each made from one function of `client.asking`.

Knows nothing of what is asked or answered. A method here is a `Call`: looked up on `Heed` it answers, looked up on
`AsyncHeed` it is awaited, and its arguments and its type are those of its function in either case.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

import httpx

from . import asking
from .asking import Question
from .events import Event
from .exchange import Streamed, Wire, asked
from .results import Answer
from .retry import Retry

P = ParamSpec("P")
T = TypeVar("T")
KEY = "HEED_KEY"  # the environment variable that holds a key, if none is given
TIMEOUT = httpx.Timeout(60.0, connect=5.0)  # the server's own deadline is 30 s


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("a synchronous wire waited for an event loop")


class Call(Generic[P, T]):
    """A method of both clients, made from the function that asks."""

    def __init__(self, asks: Callable[P, Question[T]]) -> None:
        self.asks, self.__doc__ = asks, asks.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Heed, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncHeed, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Client | None, owner: type) -> Any:
        if client is None:
            return self

        @wraps(self.asks)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.does(asked(client, self.asks(*args, **kwargs)))

        return method


class StreamCall(Generic[P]):
    """The same for an answer that is told while it is made."""

    def __init__(self, asks: Callable[P, Question[Answer]]) -> None:
        self.asks, self.__doc__ = asks, asks.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Heed, owner: type) -> Callable[P, Stream]: ...
    @overload
    def __get__(self, client: AsyncHeed, owner: type) -> Callable[P, AsyncStream]: ...
    def __get__(self, client: Client | None, owner: type) -> Any:
        if client is None:
            return self

        @wraps(self.asks)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.streams(Streamed(client, self.asks(*args, **kwargs)))

        return method


class Stream:
    """Events, in a `for` loop. Left early (`close`, or the end of `with`), the server stops working on the answer."""

    def __init__(self, streamed: Streamed) -> None:
        self.streamed = streamed

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        event = run(self.streamed.next())
        if event is None:
            raise StopIteration
        return event

    def close(self) -> None:
        """Leave the stream."""
        run(self.streamed.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncStream:
    """The same, in an `async for` loop."""

    def __init__(self, streamed: Streamed) -> None:
        self.streamed = streamed

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self.streamed.next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """Leave the stream."""
        await self.streamed.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class Client(Wire):
    """What both clients are: where they ask, with which key, and their patience."""

    translate = Call(asking.translate)
    caption = Call(asking.caption)
    score = Call(asking.score)
    compare = Call(asking.compare)
    detect = Call(asking.detect)
    models = Call(asking.models)
    model = Call(asking.model)
    health = Call(asking.health)
    stream_translate = StreamCall(asking.translate)
    stream_caption = StreamCall(asking.caption)

    does: Callable[[Any], Any]
    streams: Callable[[Streamed], Any]
    http: httpx.Client | httpx.AsyncClient

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float | httpx.Timeout = TIMEOUT,
        retry: Retry | None = None,
        transport: Any = None,
        sleep: Callable[[float], Any] | None = None,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """url: of a server; key: by default that of HEED_KEY; timeout: seconds, or httpx's own.

        transport (of httpx), sleep, chance and clock are for tests.
        """
        key = key if key is not None else os.environ.get(KEY)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.retry, self.chance, self.clock, self.pause = retry or Retry(), chance, clock, sleep
        self.http = self._connected(base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport)

    def _connected(self, **how: Any) -> httpx.Client | httpx.AsyncClient:
        raise NotImplementedError

    def request(self, question: Question[Any], accept: str) -> httpx.Request:
        """A question as httpx sends it."""
        return self.http.build_request(
            question.method, question.path.lstrip("/"), json=question.body, headers={"Accept": accept}
        )


class Heed(Client):
    """Ask a server, and wait for its answer. Use it with `with`, or `close` it."""

    http: httpx.Client

    def _connected(self, **how: Any) -> httpx.Client:
        return httpx.Client(**how)

    def does(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine of the exchange comes to."""
        return run(coroutine)

    def streams(self, streamed: Streamed) -> Stream:
        """Its events."""
        return Stream(streamed)

    async def send(self, request: httpx.Request) -> httpx.Response:
        return self.http.send(request, stream=True)

    async def body(self, response: httpx.Response) -> bytes:
        return response.read()

    def chunks(self, response: httpx.Response) -> Iterator[bytes]:
        return response.iter_bytes()

    async def chunk(self, chunks: Iterator[bytes]) -> bytes | None:
        return next(chunks, None)

    async def leave(self, response: httpx.Response) -> None:
        response.close()

    async def sleep(self, seconds: float) -> None:
        (self.pause or time.sleep)(seconds)

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncHeed(Client):
    """The same for asyncio: every method is awaited. Use it with `async with`, or `aclose` it."""

    http: httpx.AsyncClient

    def _connected(self, **how: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(**how)

    def does(self, coroutine: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """The coroutine itself."""
        return coroutine

    def streams(self, streamed: Streamed) -> AsyncStream:
        """Its events."""
        return AsyncStream(streamed)

    async def send(self, request: httpx.Request) -> httpx.Response:
        return await self.http.send(request, stream=True)

    async def body(self, response: httpx.Response) -> bytes:
        return await response.aread()

    def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        return response.aiter_bytes()

    async def chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        return await anext(chunks, None)

    async def leave(self, response: httpx.Response) -> None:
        await response.aclose()

    async def sleep(self, seconds: float) -> None:
        await (self.pause or asyncio.sleep)(seconds)

    async def aclose(self) -> None:
        """Close its connections."""
        await self.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
