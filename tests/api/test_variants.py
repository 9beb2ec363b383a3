"""Local attention tells its windows, and a model without attention answers without a map, whatever was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from service.engine.catalog import Catalog
from service.link.local import LocalLink
from tests.api.conftest import client_of

pytestmark = pytest.mark.anyio
TEXT = "two children play with a red ball in the park near the old river"


@pytest.fixture
async def asker(toys: Path) -> AsyncIterator[httpx.AsyncClient]:
    link = LocalLink(
        lambda: Catalog(toys, names=["toy-local", "toy-none"], threads=2, precision="fp32", rows=64, queue=64)
    )
    await link.start()
    async with client_of(link) as one:
        yield one
    await link.drain(0)


async def ask(asker: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await asker.post("/v1/translate", json={"text": TEXT, "max_length": 12, **body})


@pytest.mark.parametrize("unit", ["word", "piece"])
async def test_each_row_has_the_window_that_all_of_its_weight_is_in(asker: httpx.AsyncClient, unit: str) -> None:
    answer = (await ask(asker, model="toy-local", unit=unit)).json()
    map_ = answer["results"][0]["attention"]
    assert len(map_["window"]) == len(map_["weights"])
    for (first, last), row in zip(map_["window"], map_["weights"], strict=True):
        assert 0 <= first <= last < len(map_["keys"]["items"])
        assert sum(row) == pytest.approx(sum(row[first : last + 1]))


@pytest.mark.parametrize("attention", ["soft", "hard", "full", "none"])
async def test_without_attention_an_answer_has_no_map_and_no_alignment(asker, attention: str) -> None:
    response = await ask(asker, model="toy-none", attention=attention, alignment=True)
    (result,) = response.json()["results"]
    assert response.status_code == 200 and result["text"]
    assert "attention" not in result and "alignment" not in result


@pytest.mark.parametrize("form", ["text/event-stream", "text/plain", "image/svg+xml", "application/x-npz"])
async def test_in_every_other_form_too(asker: httpx.AsyncClient, form: str) -> None:
    body = {"text": TEXT, "max_length": 12, "model": "toy-none"}
    response = await asker.post("/v1/translate", json=body, headers={"Accept": form})
    assert response.status_code == 200 and response.content
