"""Engines of this process that listen, and fronts that are told where: for tests alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from bundle.zoo import named
from service.engine.catalog import Catalog
from service.link.listener import Listener
from service.link.remote import Place, RemoteLink
from tests.link.asking import PATIENCE

ECHO = "toy-echo@0"


@contextmanager
def listening(
    zoo: Path, died: threading.Event | None = None, models: Sequence[str] = (ECHO,), **options: Any
) -> Iterator[Listener]:
    """An engine for whoever comes."""
    catalog = Catalog(zoo, names=models, threads=2, precision="fp32", rows=16, queue=10_000)
    catalog.start()
    listener = Listener(
        catalog, "127.0.0.1", died=(died or threading.Event()).set, **{"heartbeat": PATIENCE, **options}
    )
    try:
        yield listener
    finally:
        listener.leave(0)


@asynccontextmanager
async def linked(
    zoo: Path, places: list[Place], models: Sequence[str] = (ECHO,), **options: Any
) -> AsyncIterator[RemoteLink]:
    """A front that knows these places; the list may change."""

    async def whereabouts() -> list[Place]:
        return list(places)

    given = {"rows": 16, "queue": 100_000, "heartbeat": PATIENCE, "attempts": 3, **options}
    link = RemoteLink(named(zoo, models), whereabouts, **given)
    await asyncio.wait_for(link.start(), PATIENCE)
    try:
        yield link
    finally:
        await asyncio.wait_for(link.drain(0), PATIENCE)
