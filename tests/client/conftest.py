"""A running server with toys and the shipped models, and both clients, so that each test is run with either."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from client import AsyncHeed, Heed
from tests.service.test_serve import serving

MODELS = ("en-de-bahdanau", "caption-soft", "toy-echo", "toy-recurrent")
KINDS: dict[str, Any] = {"now": Heed, "asyncio": AsyncHeed}
Connect = Callable[..., Any]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def url(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server answers."""
    zoo = tmp_path_factory.mktemp("zoo")
    for name in MODELS:
        found = Path("zoo").resolve() / name
        (zoo / name).symlink_to(found if found.exists() else toys / name)
    options = {"HEED_MODELS": ",".join(MODELS), "HEED_LINK": "local", "HEED_PRECISION": "auto", "HEED_ROWS": "64"}
    with serving(zoo, zoo / "log", **options) as server:
        yield str(server.client.base_url)


@pytest.fixture(params=KINDS)
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Makes clients of one kind, and closes them."""
    made: list[Any] = []

    def one(*args: Any, **options: Any) -> Any:
        made.append(KINDS[request.param](*args, **options))
        return made[-1]

    yield one
    for each in made:
        await (each.aclose() if isinstance(each, AsyncHeed) else done(each.close()))


@pytest.fixture
def heed(connect: Connect, url: str) -> Any:
    """A client of the running server."""
    return connect(url)


async def done(_: None) -> None:
    """What has been done already."""


async def got(value: Any) -> Any:
    """An answer of either client."""
    return await value if inspect.isawaitable(value) else value


async def following(stream: Any) -> AsyncIterator[Any]:
    """The events of either client's stream."""
    if hasattr(stream, "__aiter__"):
        async for event in stream:
            yield event
    else:
        for event in stream:
            yield event


async def left(stream: Any) -> None:
    """Leave either client's stream."""
    await (stream.aclose() if hasattr(stream, "aclose") else done(stream.close()))


class Answering:
    """A transport that gives these answers, one after the other, and the waits between them; the last stays."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def options(self, connect: Connect) -> dict[str, Any]:
        """For a client that waits for nothing."""

        async def pause(seconds: float) -> None:
            self.waits.append(seconds)

        slept = pause if connect(transport=self.transport).__class__ is AsyncHeed else self.waits.append
        return {"transport": self.transport, "sleep": slept, "chance": lambda: 0.5, "clock": lambda: 0.0}

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)
