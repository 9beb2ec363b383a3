"""The directory forgets who says nothing more, an engine stays in it until it ends, and few engines are noticed."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from service.link import ray
from service.link.ray import Directory, Few, Listing, RayLink
from service.link.remote import Place

pytestmark = pytest.mark.anyio
PLACE = Place("127.0.0.1", 1234, "0" * 64)


class Handle:
    """Stands in for the handle of a directory that is right here; fails as often as it is told to."""

    def __init__(self, directory: Directory, failures: int = 0) -> None:
        self.directory, self.failures = directory, failures
        self.entered = threading.Semaphore(0)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.directory, name)

        def remote(*given: Any) -> Any:
            if name == "places":
                return method()
            if self.failures:
                self.failures -= 1
                raise RuntimeError("the directory is being replaced")
            asyncio.run(method(*given))
            if name == "enter":
                self.entered.release()
            return SimpleNamespace(result=lambda timeout_s: None)

        return SimpleNamespace(remote=remote)


async def test_an_engine_that_does_not_say_so_any_more_is_not_listed() -> None:
    directory = Directory(lease=0.0)
    await directory.enter(PLACE)
    assert await directory.places() == []
    patient = Directory()
    await patient.enter(tuple(PLACE))  # type: ignore[arg-type]  # as it may come out of a message
    assert await patient.places() == [PLACE]
    await patient.strike(PLACE)
    assert await patient.places() == []


async def test_an_engine_renews_its_entry_whatever_fails_and_is_struck_when_it_ends(monkeypatch, caplog) -> None:
    monkeypatch.setattr(ray, "RENEW", 0.01)
    directory = Directory()
    handle: Any = Handle(directory, failures=2)
    listing = Listing(handle, PLACE)
    listing.start()
    for _ in range(3):
        assert await asyncio.to_thread(handle.entered.acquire, timeout=60)
    assert "the directory cannot be reached: RuntimeError" in caplog.text
    await asyncio.to_thread(listing.end)
    listing.join(60)
    assert await directory.places() == []


async def test_an_engine_ends_in_order_though_the_directory_is_gone(caplog) -> None:
    handle: Any = Handle(Directory(), failures=1)
    Listing(handle, PLACE).end()
    assert "no directory to be struck from: RuntimeError" in caplog.text


async def test_the_link_of_a_front_goes_where_the_directory_says() -> None:
    directory = Directory()
    await directory.enter(PLACE)
    handle: Any = Handle(directory)
    link = RayLink({}, handle, rows=1, queue=1, heartbeat=1.0, attempts=1)
    assert list(await link.whereabouts()) == [PLACE]


@pytest.mark.parametrize(
    ("reported", "wanted"),
    [({}, 2), ({"a": 0.0}, 1), ({"a": 100.0}, 1), ({"a": 100.0, "b": 101.0}, 3), ({"a": 1000.0}, 10)],
)
def test_there_are_as_many_engines_as_have_their_rows(reported: dict[str, float], wanted: int) -> None:
    context: Any = SimpleNamespace(aggregated_metrics={"rows": reported} if reported else {}, target_num_replicas=2)
    assert Few(rows=100)(context) == (wanted, {})
