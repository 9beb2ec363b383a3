"""Models are changed at real workers, at all or at none; whoever dies or comes late serves what the others do.

Every version echoes, so that an answer that is lost or mixed up shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from service.engine.catalog import Catalog
from service.errors import LoadFailed, NotReady, OverBudget, UnknownModel
from service.link.line import Line
from service.link.local import LocalLink
from service.link.process import ProcessLink
from service.link.ray import RayLink
from service.messages import Job, Link
from tests.fakes import tiny_bundle
from tests.link import accidents
from tests.link.asking import PATIENCE, RISKY, alive, guest, started, told, until, versions, worker

pytestmark = pytest.mark.anyio
FIRST = {"HEED_MODELS": "toy-echo@1"}


def asked(number: int, model: str) -> Job:
    return replace(guest(number), model=model)


def served(link: ProcessLink) -> list[set[str]]:
    """What each worker says it serves."""
    return [set(one.child.models) if one.child else set() for one in link.supervisors]


@asynccontextmanager
async def local(zoo: Path, load_seconds: float = PATIENCE) -> AsyncIterator[LocalLink]:
    def make() -> Catalog:
        return Catalog(zoo, names=["toy-echo@1"], threads=2, precision="fp32", rows=16, queue=10_000)

    link = LocalLink(make, zoo, load_seconds=load_seconds)
    await link.start()
    yield link
    await link.drain(0)


async def test_a_second_version_is_served_by_all_workers_beside_the_first_and_leaves_again(toys, tmp_path) -> None:
    async with started(versions(toys, tmp_path, "1", "2"), variables=FIRST, engines=2) as link:
        with pytest.raises(UnknownModel):
            await told(link, asked(1, "toy-echo@2"))
        assert await link.repository.load("toy-echo") == "toy-echo@2"
        assert served(link) == [{"toy-echo@1", "toy-echo@2"}] * 2
        models = ["toy-echo", "toy-echo@1", "toy-echo@2"]
        await asyncio.gather(*(told(link, asked(i, models[i % 3])) for i in range(30)))
        shown = {one.id: one.bytes for one in await link.repository.shown()}
        assert all(link.engines * one.models["toy-echo@2"] <= (shown["toy-echo@2"] or 0) for one in link._open())
        assert await link.repository.unload("toy-echo") == "toy-echo@1"
        assert served(link) == [{"toy-echo@2"}] * 2
        await told(link, asked(1, "toy-echo"))
        assert not link.stock.holds and not link.book.load


async def test_replaced_under_load_nothing_is_lost_and_a_dead_worker_comes_up_with_what_is_served(
    toys, tmp_path
) -> None:
    slow = {accidents.STEP: "0.005", **FIRST}
    async with started(versions(toys, tmp_path, "1", "2"), RISKY, slow, engines=2) as link:
        waiting = [asyncio.create_task(told(link, asked(i, "toy-echo"))) for i in range(60)]
        await until(lambda: worker(link).answers)
        assert await link.repository.load("toy-echo", replace=True) == "toy-echo@2"
        assert served(link) == [{"toy-echo@2"}] * 2
        assert len(await asyncio.gather(*waiting)) == 60
        dead = worker(link)
        dead.kill()
        await until(lambda: link.supervisors[0].child not in (None, dead) and worker(link).open)
        assert served(link)[0] == {"toy-echo@2"}, "not what the settings say"
        await told(link, asked(1, "toy-echo@2"))


async def test_a_worker_that_dies_while_models_are_replaced_loses_nothing(toys, tmp_path) -> None:
    slow = {accidents.STEP: "0.01", **FIRST}
    async with started(versions(toys, tmp_path, "1", "2"), RISKY, slow, engines=2) as link:
        await link.repository.load("toy-echo@2")
        waiting = [asyncio.create_task(told(link, asked(i, "toy-echo@1"))) for i in range(40)]
        await until(lambda: worker(link).answers)
        leaving = asyncio.create_task(link.repository.unload("toy-echo@1"))
        await until(lambda: link.stock.leaving)
        worker(link).kill()
        assert len(await asyncio.gather(*waiting)) == 40
        await leaving
        await until(lambda: served(link) == [{"toy-echo@2"}] * 2)


@pytest.mark.parametrize(("accident", "why"), [("hang", "not done after"), ("die", "died")])
async def test_a_load_that_hangs_or_kills_a_worker_is_told_and_rolled_back(toys, tmp_path, accident, why) -> None:
    note = tmp_path / "accident"
    zoo = versions(toys, tmp_path / "zoo", "1", "2")
    async with started(zoo, RISKY, {accidents.LOADING: str(note), **FIRST}, engines=2, load_seconds=10.0) as link:
        first, second = (worker(link, place) for place in (0, 1))
        note.write_text(accident)
        with pytest.raises(LoadFailed, match=why):
            await link.repository.load("toy-echo@2", replace=True)
        assert link.bundles["toy-echo"].id == "toy-echo@1" and len(link.bundles) == 1
        await until(lambda: not alive(first.pid) and len(link._open()) == 2)
        assert worker(link, 1) is second
        assert served(link) == [{"toy-echo@1"}] * 2
        await asyncio.gather(*(told(link, guest(i)) for i in range(10)))
        assert await link.repository.load("toy-echo@2", replace=True) == "toy-echo@2", "and again, without an accident"


async def test_what_the_second_worker_cannot_load_the_first_puts_away_again(toys, tmp_path, monkeypatch) -> None:
    zoo = versions(toys, tmp_path, "1", "2")
    async with started(zoo, variables=FIRST, engines=2) as link:
        heard = link.rounds.heard

        def spoil(word: object) -> None:
            heard(word)  # type: ignore[arg-type]
            (zoo / "toy-echo/2/vocabulary.model").unlink(missing_ok=True)

        monkeypatch.setattr(link.rounds, "heard", spoil)
        with pytest.raises(LoadFailed, match="is missing"):
            await link.repository.load("toy-echo@2")
        assert served(link) == [{"toy-echo@1"}] * 2 and len(link.bundles) == 1


async def test_a_bundle_that_onnxruntime_cannot_load_is_told_with_its_file(toys, tmp_path) -> None:
    zoo = versions(toys, tmp_path, "1")
    tiny_bundle(zoo, "broken")
    async with started(zoo, variables=FIRST) as link:
        with pytest.raises(LoadFailed, match=r"encode\.onnx: onnxruntime cannot load it"):
            await link.repository.load("broken")
        await told(link, guest(1))


async def test_a_worker_that_was_starting_meanwhile_catches_up(toys, tmp_path) -> None:
    blocked, zoo = tmp_path / "blocked", versions(toys, tmp_path / "zoo", "1", "2")
    variables = {accidents.BLOCKED: str(blocked), **FIRST}
    async with started(zoo, RISKY, variables, engines=2) as link:
        blocked.write_text("hang")
        dead = worker(link)
        dead.kill()
        await until(lambda: link.supervisors[0].child not in (None, dead))
        await link.repository.load("toy-echo@2", replace=True)
        assert [set(one.models) for one in link._open()] == [{"toy-echo@2"}]
        blocked.unlink()
        await until(lambda: served(link) == [{"toy-echo@2"}] * 2)
        await asyncio.gather(*(told(link, guest(i)) for i in range(10)))
        assert all(worker(link, place).answers for place in (0, 1))


async def test_without_a_worker_nothing_is_loaded(toys, tmp_path) -> None:
    blocked, zoo = tmp_path / "blocked", versions(toys, tmp_path / "zoo", "1", "2")
    async with started(zoo, RISKY, {accidents.BLOCKED: str(blocked), **FIRST}) as link:
        blocked.write_text("hang")
        worker(link).kill()
        await until(lambda: not link.ready())
        with pytest.raises(NotReady):
            await link.repository.load("toy-echo@2")
        blocked.unlink()


async def test_a_start_beyond_the_budget_is_refused_and_leaves_no_worker(toys, tmp_path) -> None:
    children: list[Line] = []
    with pytest.raises(OverBudget) as refused:
        async with started(versions(toys, tmp_path, "1"), variables=FIRST, budget=1000) as link:
            children += link._open()
    assert refused.value.limit == 1000 and not children


async def test_in_one_process_versions_are_changed_the_same_way(toys, tmp_path) -> None:
    zoo = versions(toys, tmp_path, "1", "2")
    async with local(zoo) as link:
        waiting = [asyncio.create_task(told(link, asked(i, "toy-echo"))) for i in range(20)]
        await asyncio.sleep(0)
        assert await link.repository.load("toy-echo", replace=True) == "toy-echo@2"
        await asyncio.gather(*waiting)
        assert [one.id for one in link.bundles.values()] == ["toy-echo@2"]
        await told(link, asked(1, "toy-echo"))
        with pytest.raises(UnknownModel):
            await told(link, asked(1, "toy-echo@1"))
        tiny_bundle(zoo, "broken")
        with pytest.raises(LoadFailed, match="onnxruntime cannot load it"):
            await link.repository.load("broken")
        await told(link, asked(1, "toy-echo"))


async def test_in_one_process_a_load_that_hangs_is_told_and_put_away_if_it_ever_ends(
    toys, tmp_path, monkeypatch
) -> None:
    go_on, load = asyncio.Event(), Catalog.load
    there = asyncio.get_running_loop()

    def hanging(self: Catalog, bundle: object) -> None:
        asyncio.run_coroutine_threadsafe(go_on.wait(), there).result(PATIENCE)
        load(self, bundle)  # type: ignore[arg-type]

    async with local(versions(toys, tmp_path, "1", "2"), load_seconds=0.1) as link:
        monkeypatch.setattr(Catalog, "load", hanging)
        with pytest.raises(LoadFailed, match="not done after"):
            await link.repository.load("toy-echo@2")
        assert len(link.bundles) == 1
        unloaded, unload = list[str](), Catalog.unload

        def noted(self: Catalog, model: str) -> None:
            unload(self, model)
            unloaded.append(model)

        monkeypatch.setattr(Catalog, "unload", noted)
        go_on.set()
        await until(lambda: unloaded == ["toy-echo@2"])
        assert link.engine is not None and list(link.engine.costs) == ["toy-echo@1"]
        await told(link, asked(1, "toy-echo"))


def test_every_link_is_a_link(toys: Path) -> None:
    """mypy looks at it: what `service.messages.Link` asks for is there."""
    links: list[type[Link]] = [ProcessLink, LocalLink, RayLink]
    assert all(hasattr(one, "hold") for one in links)
