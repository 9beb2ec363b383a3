"""An app in front of a fake link, and a client to it, both in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bundle.manifest import Bundle
from bundle.zoo import find
from service.api.app import create_app
from service.api.protection import Protection
from service.messages import Link
from service.tasks.contract import Bounds
from tests.fakes import FakeLink, captioner, tiny_bundle

BOUNDS = Bounds(text_characters=300, texts=5, pixels=100_000, beam_size=8, n_best=4, length=25)
BODY_BYTES = 2_000_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    zoo = tmp_path_factory.mktemp("zoo")
    tiny_bundle(zoo, "tiny-en-de")
    tiny_bundle(zoo, "tiny-fr-de", source="fr")
    tiny_bundle(zoo, "tiny-en-fr", target="fr")
    captioner(zoo)
    return {bundle.manifest.name: bundle for bundle in find(Path(zoo))}


@pytest.fixture
def link(bundles: dict[str, Bundle]) -> FakeLink:
    return FakeLink(bundles)


@pytest.fixture
async def client(link: FakeLink) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(link) as one:
        yield one


class client_of:  # noqa: N801 - used as a function
    """A client to an app of its own, within its life; options go to `create_app`."""

    def __init__(self, link: Link, **options: Any) -> None:
        self.app = create_app(link, **{"bounds": BOUNDS, "protection": Protection(body_bytes=BODY_BYTES), **options})
        self.life = self.app.router.lifespan_context(self.app)

    async def __aenter__(self) -> httpx.AsyncClient:
        await self.life.__aenter__()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://heed")
        return self.client

    async def __aexit__(self, *error: object) -> None:
        await self.client.aclose()
        await self.life.__aexit__(None, None, None)
