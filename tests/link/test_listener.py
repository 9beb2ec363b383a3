"""An engine that listens says which versions it has, and keeps them whoever asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from service.api.admin import create_admin
from service.errors import UnknownModel
from service.link.line import Line
from service.link.words import Changed, Load, Unload, Word
from tests.link.asking import guest, told, until, versions
from tests.link.listening import linked, listening

pytestmark = pytest.mark.anyio
OLD, NEW = "toy-echo@1", "toy-echo@2"


async def test_jobs_go_to_the_engine_that_has_their_version(toys: Path, tmp_path: Path) -> None:
    zoo = versions(toys, tmp_path, "1", "2")
    with listening(zoo, models=[OLD]) as one, listening(zoo, models=[NEW]) as other:
        async with linked(zoo, [one.place, other.place], models=[NEW, OLD]) as link:
            jobs = [replace(guest(i), model=model) for i in range(9) for model in (OLD, NEW, "toy-echo")]
            await asyncio.gather(*(told(link, job) for job in jobs))
            assert link.engines[one.place].answers == 9
            assert link.engines[other.place].answers == 18, "a name alone is its default version"
            assert {model for model, _ in link.ledger.totals} <= {OLD, NEW}


async def test_a_front_is_not_ready_while_a_version_has_no_engine(toys: Path, tmp_path: Path) -> None:
    zoo = versions(toys, tmp_path, "1", "2")
    with listening(zoo, models=[OLD]) as one, listening(zoo, models=[NEW]) as other:
        places = [one.place, other.place]
        async with linked(zoo, places, models=[NEW, OLD]) as link:
            places.remove(other.place)
            link.engines[other.place].kill()
            await until(lambda: not link.ready())
            await told(link, replace(guest(1), model=OLD))


async def test_models_behind_a_link_to_shared_engines_stay_and_whoever_would_change_them_is_told(
    toys: Path, monkeypatch
) -> None:
    with listening(toys) as one:
        async with linked(toys, [one.place]) as link:
            with link.hold("toy-echo"), pytest.raises(UnknownModel):
                link.hold("toy-echo@9")
            transport = httpx.ASGITransport(create_admin(link))
            async with httpx.AsyncClient(transport=transport, base_url="http://admin") as admin:
                answer = await admin.post("/v1/admin/models/load", json={"model": "toy-echo"})
                assert answer.status_code == 409 and answer.json()["code"] == "model_conflict"
            assert "chosen at its start" in answer.json()["detail"]


async def test_an_engine_of_several_fronts_changes_its_models_for_none(toys: Path, monkeypatch) -> None:
    heard: list[Word] = []
    with listening(toys) as one:
        async with linked(toys, [one.place]) as link:
            line = link.engines[one.place]
            hear = line.hear

            def noted(which: Line, word: Word) -> None:
                heard.append(word)
                hear(which, word)

            line.hear = noted
            bundle = link.bundles["toy-echo"]
            line.tell(Unload(1, bundle.id))
            line.tell(Load(2, bundle.id, str(bundle.path)))
            await until(lambda: sum(isinstance(word, Changed) for word in heard) == 2)
            changes = [word for word in heard if isinstance(word, Changed)]
            assert all("keeps the models" in str(word.why) and list(word.models) == [bundle.id] for word in changes)
            await told(link, guest(1))
