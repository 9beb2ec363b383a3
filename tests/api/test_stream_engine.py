"""Streams of a real engine: what is told on the way is the answer, and who leaves leaves its seat at the next tick."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from service.api.app import create_app
from service.engine.catalog import Catalog
from service.link.local import LocalLink
from tests.api.conftest import client_of
from tests.api.raw import Raw, until
from tests.api.sse import only, streamed

pytestmark = pytest.mark.anyio
TEXT = "two children play with a red ball"


@pytest.fixture
async def engine(toys: Path) -> AsyncIterator[LocalLink]:
    """The toy that echoes, and one whose beams cross."""
    link = LocalLink(
        lambda: Catalog(toys, names=["toy-echo", "toy-recurrent"], threads=2, precision="fp32", rows=256, queue=1280)
    )
    await link.start()
    yield link
    await link.drain(0)


@pytest.fixture
async def asker(engine: LocalLink) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(engine) as one:
        yield one


async def test_the_tokens_of_a_greedy_answer_and_their_rows_are_those_of_its_end(asker) -> None:
    said = await streamed(asker, model="toy-echo", source=None, target=None, text=TEXT, beam_size=1, unit="piece")
    tokens, (end,) = only(said, "token"), only(said, "done")
    assert "".join(one["text"] for one in tokens) == end["text"] == TEXT
    assert np.allclose([one["attention"] for one in tokens], end["attention"]["weights"], atol=1e-3)
    spans = [(one["start"], one["end"]) for one in tokens]
    assert spans == [(one["start"], one["end"]) for one in end["attention"]["queries"]]
    assert said[0].data["keys"] == end["attention"]["keys"]


async def test_what_a_listener_of_a_beam_puts_together_is_the_text_all_along(asker) -> None:
    said = await streamed(asker, model="toy-recurrent", source=None, target=None, text=TEXT, beam_size=4, max_length=20)
    heard: list[str] = []
    for one in only(said, "hypothesis"):
        heard[one["kept"] :] = [token["text"] for token in one["tokens"]]
        assert "".join(heard) == one["text"]
    assert said[-1].event == "done"


async def test_those_who_leave_are_not_seated_after_the_next_tick(engine, monkeypatch) -> None:
    assert isinstance(engine.engine, Catalog)
    loop, allowed = engine.engine.loops["toy-echo@0"], threading.Semaphore(0)
    step = loop.session.step

    def allowed_step(*one, **how):
        allowed.acquire()
        return step(*one, **how)

    monkeypatch.setattr(loop.session, "step", allowed_step)
    app = create_app(engine)
    async with app.router.lifespan_context(app):
        asked: dict[str, Any] = {"model": "toy-echo", "source": None, "target": None, "text": TEXT, "stream": True}
        clients = [Raw(app, beam_size=1, **asked) for _ in range(30)]
        while not all(len(one.events()) > 1 for one in clients):  # each has heard a word
            seen = loop.ticks  # a step is allowed when the one before was made: none is left over in the end
            allowed.release()
            await until(lambda: loop.ticks > seen)  # noqa: B023
            await asyncio.sleep(0.005)
        before = loop.ticks
        for one in clients:
            one.leave()
        await asyncio.gather(*(one.over() for one in clients))
        assert not any(one.complete for one in clients)
        allowed.release(2)
        await until(lambda: loop.ticks > before)
        await until(lambda: not loop.seated())
        assert loop.ticks <= before + 2
        allowed.release(1000)
