"""The stock: who leaves the shelf is kept until nobody is at work on it."""

from __future__ import annotations

import asyncio

import pytest

from bundle.manifest import Bundle
from service.errors import UnknownModel
from service.link.stock import Stock
from tests.fakes import tiny_bundle

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    folder = tmp_path_factory.mktemp("zoo")
    return [Bundle(tiny_bundle(folder / version, "a", version=version)) for version in ("1", "2")]


@pytest.fixture
def stock(bundles: list[Bundle]) -> Stock:
    return Stock(bundles)


async def test_a_model_is_idle_when_the_last_who_held_it_lets_go(stock) -> None:
    first, second = stock.hold("a@1"), stock.hold("a")
    waiting = asyncio.create_task(stock.idle("a@1"))
    with second:
        pass
    await asyncio.sleep(0.01)
    assert not waiting.done()
    with first:
        pass
    await waiting
    assert not stock.holds


async def test_a_hold_counts_from_when_it_was_taken_and_is_let_go_by_an_error_too(stock) -> None:
    held = stock.hold("a")
    assert stock.holds == {"a@1": 1}
    with pytest.raises(RuntimeError), held:
        raise RuntimeError
    assert not stock.holds


async def test_what_is_withdrawn_takes_nobody_new_but_goes_on_for_those_at_work(stock, bundles) -> None:
    stock.withdraw("a@1")
    assert stock.shelf["a"].id == "a@2" and set(stock.kept) == {"a@1", "a@2"}
    with pytest.raises(UnknownModel):
        stock.hold("a@1")
    with stock.at_work("a@1") as model:
        assert model == "a@1" and stock.holds == {"a@1": 1}
    stock.forget("a@1")
    assert set(stock.kept) == {"a@2"}
    with pytest.raises(UnknownModel), stock.at_work("a@1"):
        pass


async def test_a_name_alone_is_its_default_version(stock) -> None:
    with stock.at_work("a") as model:
        assert model == "a@1"
    with pytest.raises(UnknownModel), stock.at_work("b"):
        pass
