"""Versions stand side by side, and a name alone always means one of them."""

from __future__ import annotations

import pytest

from bundle.manifest import Bundle
from bundle.shelf import Shelf, newest, rank
from tests.fakes import tiny_bundle


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    folder = tmp_path_factory.mktemp("zoo")
    made = [
        Bundle(tiny_bundle(folder / name / version, name, version=version))
        for name, version in (("a", "1"), ("a", "2"), ("a", "10"), ("b", "1"))
    ]
    return {one.id: one for one in made}


@pytest.fixture
def shelf(bundles: dict[str, Bundle]) -> Shelf:
    return Shelf(bundles.values())


def test_the_first_of_a_name_is_its_default_and_goes_by_the_name_alone(shelf, bundles) -> None:
    assert list(shelf) == ["a", "a@2", "a@10", "b"]
    assert shelf["a"] is shelf["a@1"] is bundles["a@1"]
    assert [one.id for one in shelf.values()] == ["a@1", "a@2", "a@10", "b@1"]
    assert len(shelf) == 4
    assert [shelf.is_default(one) for one in shelf.values()] == [True, False, False, True]


@pytest.mark.parametrize("model", ["c", "a@3", "a@", "@1", "", "b@1@1", "A"])
def test_what_is_not_there_is_not_found(shelf, model) -> None:
    assert model not in shelf
    with pytest.raises(KeyError):
        shelf[model]


def test_another_version_takes_its_place_beside_or_as_the_default(bundles) -> None:
    one = Shelf([bundles["a@1"], bundles["b@1"]])
    assert list(one.with_one(bundles["a@2"])) == ["a", "a@2", "b"]
    assert one.with_one(bundles["a@2"])["a"].id == "a@1"
    assert one.with_one(bundles["a@2"], default=True)["a"].id == "a@2"
    assert list(one) == ["a", "b"], "a shelf does not change"


def test_without_its_default_a_name_means_the_newest_that_is_left(shelf) -> None:
    assert shelf.without("a")["a"].id == "a@10"
    assert shelf.without("a@10")["a"].id == "a@1"
    assert list(shelf.without("b")) == ["a", "a@2", "a@10"]


def test_a_preferred_version_is_its_names_default_and_first_of_all_only_if_asked(shelf) -> None:
    assert [one.id for one in shelf.preferring("a@10").values()] == ["a@10", "a@1", "a@2", "b@1"]
    assert list(shelf.preferring("b")) == list(shelf)
    assert [one.id for one in shelf.preferring("b", first=True).values()] == ["b@1", "a@1", "a@2", "a@10"]
    assert [one.id for one in shelf.preferring("a@2", first=True).values()] == ["a@2", "a@1", "a@10", "b@1"]


def test_versions_are_ordered_as_people_count(bundles) -> None:
    assert newest(bundles[model] for model in ("a@2", "a@10", "a@1")).id == "a@10"
    assert sorted(["10", "9", "1.10", "1.9", "1", "2-b", "2-a", "2"], key=rank) == [
        "1", "1.9", "1.10", "2", "2-a", "2-b", "9", "10",
    ]  # fmt: skip
