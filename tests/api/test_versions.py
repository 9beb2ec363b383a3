"""Which version of a model a request gets, and that it keeps it to its end."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bundle.shelf import Shelf
from bundle.zoo import find
from service.errors import UnknownModel
from tests.api.asking import GOOD, problem
from tests.api.conftest import client_of
from tests.api.sse import events
from tests.fakes import FakeLink, tiny_bundle

pytestmark = pytest.mark.anyio


class Leaving(FakeLink):
    """Its default version leaves in the moment between a choice and the hold."""

    def hold(self, model: str) -> AbstractContextManager[object]:
        if model == "a@1":
            self.bundles = self.bundles.without("a@1")
            raise UnknownModel
        return super().hold(model)


@pytest.fixture
def zoo(tmp_path: Path) -> Shelf:
    for version in ("1", "2"):
        tiny_bundle(tmp_path / version, "a", version=version)
    return Shelf(find(tmp_path))


async def test_a_name_alone_is_its_default_and_a_version_is_itself(zoo) -> None:
    async with client_of(FakeLink(zoo)) as client:
        for model, answered in (({}, "a@1"), ({"model": "a"}, "a@1"), ({"model": "a@2"}, "a@2")):
            assert (await client.post("/v1/translate", json={**GOOD, **model})).json()["model"] == answered
        problem(await client.post("/v1/translate", json={**GOOD, "model": "a@3"}), 404, "unknown_model")


async def test_a_side_version_is_asked_for_by_its_version_alone(tmp_path) -> None:
    for version, target in (("1", "de"), ("2", "fr")):
        tiny_bundle(tmp_path / version, "a", version=version, target=target)
    async with client_of(FakeLink(Shelf(find(tmp_path)))) as client:
        answer = await client.post("/v1/translate", json={"text": "the old house"})
        assert answer.status_code == 200 and answer.json()["model"] == "a@1", "no question of which language is meant"
        to_french = {"text": "the old house", "target": "fr"}
        problem(await client.post("/v1/translate", json=to_french), 422, "unsupported_pair")
        assert (await client.post("/v1/translate", json={**to_french, "model": "a@2"})).json()["model"] == "a@2"


async def test_a_stream_names_its_version_from_beginning_to_end(zoo) -> None:
    async with client_of(FakeLink(zoo)) as client:
        answer = await client.post("/v1/translate", json={**GOOD, "model": "a@2", "stream": True})
        told = [one.data["model"] for one in events(answer.text) if "model" in one.data]
        assert told == ["a@2", "a@2"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_is_held_until_its_answer_is_made_and_let_go_then(zoo, stream) -> None:
    link = FakeLink(zoo)
    link.hang = True
    async with client_of(link) as client:
        waiting = asyncio.create_task(client.post("/v1/translate", json={**GOOD, "text": ["a", "b"], "stream": stream}))
        await link.arrivals(2)
        assert link.held == ["a@1"]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert link.held == []


async def test_a_model_that_leaves_while_it_is_chosen_is_chosen_anew(zoo) -> None:
    link = Leaving(zoo)
    async with client_of(link) as client:
        assert (await client.post("/v1/translate", json=GOOD)).json()["model"] == "a@2"
        assert link.jobs[0].model == "a@2"


async def test_a_version_that_was_named_and_leaves_is_unknown(zoo) -> None:
    async with client_of(Leaving(zoo)) as client:
        problem(await client.post("/v1/translate", json={**GOOD, "model": "a@1"}), 404, "unknown_model")
