"""Changes of models, with a floor that notes what it is told: in which order, at what cost, and all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bundle.manifest import Bundle
from bundle.zoo import named
from service.errors import Conflict, LoadFailed, OverBudget, UnknownModel
from service.link.repository import Repository
from service.link.stock import Stock
from tests.fakes import tiny_bundle
from tests.link.asking import until

pytestmark = pytest.mark.anyio


class Floor:
    """Notes what is asked of it; each model takes 100 bytes."""

    def __init__(self, stock: Stock) -> None:
        self.stock, self.told = stock, list[str]()
        self.costs = {"a@1": 100, "b@1": 100}
        self.fails: Exception | None = None

    async def put(self, bundle: Bundle) -> None:
        await asyncio.sleep(0)
        self.told.append(f"put {bundle.id} beside {' '.join(one.id for one in self.stock.shelf.values())}")
        if self.fails:
            raise self.fails
        self.costs[bundle.id] = 100

    async def take(self, model: str) -> None:
        await asyncio.sleep(0)
        self.told.append(f"take {model} of {' '.join(one.id for one in self.stock.shelf.values())}")
        self.costs.pop(model, None)

    def cost(self, model: str) -> int:
        return self.costs.get(model, 0)


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    for name, version in (("a", "1"), ("a", "2"), ("a", "3"), ("b", "1")):
        tiny_bundle(tmp_path / f"{name}-{version}", name, version=version)
    return tmp_path


@pytest.fixture
def floor(zoo: Path) -> Floor:
    return Floor(Stock(named(zoo, ["a@1", "b"]).values()))


@pytest.fixture
def repository(zoo: Path, floor: Floor) -> Repository:
    return Repository(floor.stock, floor, zoo, budget=None, patience=30)


def shelf(floor: Floor) -> Sequence[str]:
    return [one.id for one in floor.stock.shelf.values()]


async def test_a_name_alone_loads_its_newest_version_beside_the_others(repository, floor) -> None:
    assert await repository.load("a") == "a@3"
    assert floor.told == ["put a@3 beside a@1 b@1"], "it can be asked for when it is there, not before"
    assert shelf(floor) == ["a@1", "a@3", "b@1"]
    assert await repository.load("a@3") == "a@3" and len(floor.told) == 1, "what is there is not loaded again"


async def test_a_version_may_be_loaded_as_the_default(repository, floor) -> None:
    await repository.load("a@2", default=True)
    assert shelf(floor) == ["a@2", "a@1", "b@1"]


async def test_replaced_is_the_default_after_the_new_one_is_asked_for_and_when_nobody_is_at_work_on_it(
    repository, floor
) -> None:
    held = floor.stock.hold("a")
    changing = asyncio.create_task(repository.load("a", replace=True))
    await until(lambda: "a@1" in floor.stock.leaving)
    assert floor.stock.shelf["a"].id == "a@3"
    assert [(one.id, one.state) for one in await repository.shown()][:3] == [
        ("a@3", "loaded"), ("b@1", "loaded"), ("a@1", "leaving"),
    ]  # fmt: skip
    assert floor.told == ["put a@3 beside a@1 b@1"], "it waits for who is at work"
    with held:
        pass
    assert await changing == "a@3"
    assert floor.told[1:] == ["take a@1 of a@3 b@1"]
    assert shelf(floor) == ["a@3", "b@1"] and not floor.stock.leaving


async def test_a_side_version_that_is_there_may_replace_the_default(repository, floor) -> None:
    await repository.load("a@2")
    await repository.load("a@2", replace=True)
    assert shelf(floor) == ["a@2", "b@1"]
    await repository.load("a@2", replace=True)
    assert shelf(floor) == ["a@2", "b@1"], "it does not replace itself"


async def test_who_is_at_work_for_too_long_is_cut(zoo, floor, caplog) -> None:
    repository = Repository(floor.stock, floor, zoo, budget=None, patience=0.01)
    with floor.stock.hold("a"):
        await repository.unload("a")
    assert "still at work" in caplog.text
    assert shelf(floor) == ["b@1"]


async def test_what_cannot_be_loaded_changes_nothing(repository, floor) -> None:
    floor.fails = LoadFailed("no")
    with pytest.raises(LoadFailed):
        await repository.load("a", replace=True)
    assert shelf(floor) == ["a@1", "b@1"]
    floor.fails = None
    await repository.load("a")


async def test_what_is_not_in_the_zoo_is_unknown_and_what_is_broken_is_told_without_its_folder(
    repository, floor, zoo
) -> None:
    with pytest.raises(UnknownModel):
        await repository.load("a@9")
    (zoo / "a-3/a/step.onnx").write_bytes(b"x")
    with pytest.raises(LoadFailed, match=r"^step\.onnx: does not have the digest"):
        await repository.load("a")
    assert floor.told == []


async def test_another_bundle_under_a_loaded_version_is_a_conflict(repository, zoo) -> None:
    manifest = zoo / "a-1/a/manifest.json"
    manifest.write_text(manifest.read_text().replace("says what it hears", "says something else"))
    with pytest.raises(Conflict):
        await repository.load("a@1")


async def test_the_last_model_stays(repository, floor) -> None:
    assert await repository.unload("b") == "b@1"
    with pytest.raises(Conflict):
        await repository.unload("a")
    with pytest.raises(UnknownModel):
        await repository.unload("b")
    assert shelf(floor) == ["a@1"]


async def test_a_default_is_chosen_among_those_loaded(repository, floor) -> None:
    await repository.load("a")
    assert await repository.prefer("a@3") == "a@3"
    assert shelf(floor) == ["a@3", "a@1", "b@1"]
    await repository.prefer("b", first=True)
    assert shelf(floor) == ["b@1", "a@3", "a@1"]
    with pytest.raises(UnknownModel):
        await repository.prefer("a@2")


async def test_beyond_the_budget_a_bundle_is_not_even_tried_if_its_graphs_say_so(zoo, floor) -> None:
    repository = Repository(floor.stock, floor, zoo, budget=201, patience=1)
    with pytest.raises(OverBudget) as refused:
        await repository.load("a")
    assert floor.told == []
    assert refused.value.limit == 201 and (refused.value.actual or 0) > 250


async def test_what_turns_out_to_take_too_much_is_put_away_again(zoo, floor) -> None:
    repository = Repository(floor.stock, floor, zoo, budget=299, patience=1)
    with pytest.raises(OverBudget) as refused:
        await repository.load("a")
    assert (refused.value.limit, refused.value.actual) == (299, 300)
    assert floor.told == ["put a@3 beside a@1 b@1", "take a@3 of a@1 b@1"]
    assert shelf(floor) == ["a@1", "b@1"]
    await repository.unload("b")
    await repository.load("a")
    with pytest.raises(OverBudget):
        Repository(floor.stock, floor, zoo, budget=199, patience=1).check()


async def test_one_change_happens_at_a_time(repository, floor) -> None:
    await asyncio.gather(repository.load("a@2", replace=True), repository.load("a@3", replace=True))
    assert floor.told == [
        "put a@2 beside a@1 b@1", "take a@1 of a@2 b@1", "put a@3 beside a@2 b@1", "take a@2 of a@3 b@1",
    ]  # fmt: skip


async def test_what_is_shown_is_what_is_loaded_and_what_could_be(repository) -> None:
    await repository.load("a@2")
    assert [(one.id, one.state, one.default, one.bytes) for one in await repository.shown()] == [
        ("a@1", "loaded", True, 100),
        ("a@2", "loaded", False, 100),
        ("b@1", "loaded", True, 100),
        ("a@3", "available", False, None),
    ]
