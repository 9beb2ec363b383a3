"""The folder of bundles: one version or several a name, and only what was asked for is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.manifest import BadBundle, Bundle
from bundle.zoo import everything, find, named, pick, scan
from tests.fakes import tiny_bundle


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    tiny_bundle(tmp_path, "b")
    for version in ("9", "10"):
        tiny_bundle(tmp_path / "a", version, name="a", version=version)
    return tmp_path


def test_a_name_with_one_version_is_a_folder_and_one_with_several_a_folder_of_folders(zoo) -> None:
    assert [one.id for one in find(zoo)] == ["a@9", "a@10", "b@0"]
    assert scan(zoo) == {"a@9": zoo / "a/9", "a@10": zoo / "a/10", "b@0": zoo / "b"}


def test_unnamed_is_the_newest_of_every_name(zoo) -> None:
    assert [one.id for one in named(zoo).values()] == ["a@10", "b@0"]
    assert list(everything(zoo)) == ["b", "a", "a@9"]


def test_unnamed_those_of_higher_precedence_come_first(zoo) -> None:
    tiny_bundle(zoo, "c", precedence=1)
    assert [one.manifest.name for one in named(zoo).values()] == ["c", "a", "b"]
    assert [one.manifest.name for one in named(zoo, ["a", "c"]).values()] == ["a", "c"]


def test_those_named_come_in_their_order_and_the_first_version_of_a_name_is_its_default(zoo) -> None:
    assert [one.id for one in named(zoo, ["b", "a"]).values()] == ["b@0", "a@10"]
    side = named(zoo, ["a@9", "b", "a"])
    assert list(side) == ["a", "a@10", "b"] and side["a"].id == "a@9"
    assert len(named(zoo, ["b", "b@0"])) == 1


@pytest.mark.parametrize("model", ["c", "a@11", "b@"])
def test_a_model_that_is_not_there_is_named(zoo, model) -> None:
    assert pick(zoo, model) is None
    with pytest.raises(BadBundle, match="missing") as error:
        named(zoo, ["b", model])
    assert error.value.path == zoo / model


def test_a_bundle_that_was_not_asked_for_may_be_broken_or_on_its_way(zoo) -> None:
    (zoo / "a/9/step.onnx").unlink()
    (zoo / "half").mkdir()
    (zoo / "half/manifest.json").write_text('{"format": 1, "na')
    assert [one.id for one in named(zoo, ["a", "b"]).values()] == ["a@10", "b@0"]
    assert set(scan(zoo)) == {"a@9", "a@10", "b@0"}
    with pytest.raises(BadBundle, match="missing"):
        pick(zoo, "a@9")
    with pytest.raises(BadBundle, match="not JSON"):
        named(zoo, ["half"])
    with pytest.raises(BadBundle):
        named(zoo)


def test_two_bundles_of_one_version_are_refused_where_all_are_read(zoo) -> None:
    tiny_bundle(zoo, "twin", name="a", version="9")
    with pytest.raises(BadBundle, match="a@9"):
        find(zoo)
    assert scan(zoo)["a@9"] == zoo / "a/9", "the first, so that a restart finds the same"


def test_an_empty_folder_holds_no_bundle(tmp_path) -> None:
    with pytest.raises(BadBundle, match="no bundle"):
        named(tmp_path)


@pytest.mark.parametrize("version", ["", "1@2", "a b", "-1", "1/2", "1,2"])
def test_a_version_that_could_not_be_asked_for_is_refused(tmp_path, version) -> None:
    with pytest.raises(BadBundle, match="version"):
        Bundle(tiny_bundle(tmp_path, "tiny", version=version))
