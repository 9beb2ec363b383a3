"""The front desk: what it does at once, and what it leaves to its threads."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time

import pytest

from bundle.manifest import Bundle
from service.api.desk import LIGHT, Desk
from service.tasks import discover
from tests.api.conftest import BOUNDS
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio


async def answered(desk: Desk, text: str, size: int | None, **fields: object) -> str:
    task = discover()["translate"]
    asked = task.request.model_validate({"text": text, "source": "en", "target": "de", **fields})
    order = await desk.understand(task, lambda: asked, "id", size=size)
    body, _ = await desk.answer(order)
    said: str = json.loads(body)["results"][0]["text"]
    return said


async def test_a_short_text_is_answered_though_every_thread_is_busy(bundles: dict[str, Bundle], link: FakeLink) -> None:
    desk, release = Desk(link, BOUNDS, threads=1), threading.Event()
    try:
        desk.pool.submit(release.wait)
        assert await answered(desk, "the old house", LIGHT) == "the old house"
        for size in (LIGHT + 1, None):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(answered(desk, "the old house", size), 0.2)
        release.set()
        assert await answered(desk, "the old house", None) == "the old house"
    finally:
        release.set()
        desk.close()


@pytest.mark.parametrize(
    ("text", "fields"),
    [("a house\n" * 9, {}), ("a house\n" * 2, {"n_best": 3, "beam_size": 3}), ("a house", {"attention": "full"})],
)
async def test_a_short_text_with_a_long_answer_is_written_by_a_thread(
    bundles: dict[str, Bundle], link: FakeLink, text: str, fields: dict[str, object]
) -> None:
    desk, release = Desk(link, BOUNDS, threads=1), threading.Event()
    try:
        desk.pool.submit(release.wait)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answered(desk, text, LIGHT, **fields), 0.2)
        release.set()
        assert "house" in await answered(desk, text, LIGHT, **fields)
    finally:
        release.set()
        desk.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities of their own")
async def test_threads_for_pictures_give_way_where_everything_has_given_way_already(link: FakeLink) -> None:
    """As in a worker of Ray's: nobody without privileges may take a step back."""
    found: list[int] = []

    def inside() -> None:
        os.nice(12)  # this thread, and those it makes
        desk = Desk(link, BOUNDS, threads=1)
        found.append(desk.studio.submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())).result())
        desk.close()

    nice = threading.Thread(target=inside)
    nice.start()
    await asyncio.to_thread(nice.join)
    assert found == [19]


async def test_where_a_time_is_wanted_no_more_are_let_in_than_leave_in_it(link: FakeLink) -> None:
    desk, now = Desk(link, BOUNDS, max_requests=15), time.monotonic()
    desk.pace.begin(now - 1)
    desk.pace.leave(40, now)
    for target, places in ((None, 15), (0.25, 10), (0.5, 15), (0.01, 4)):
        desk.target, desk.held = target, places - 1
        assert desk.full() is None
        desk.held = places
        refusal = desk.full()
        assert refusal is not None and refusal.limit == places and refusal.retry_after == 1
    desk.close()
