"""A recipe on another: what it says holds, what it does not say is the other's."""

from __future__ import annotations

import json
from pathlib import Path

from models.recipe import read


def test_a_recipe_says_only_what_it_does_otherwise_than_its_base(tmp_path: Path) -> None:
    base = {"task": "translation", "net": {"width": 8, "heads": 2}, "data": {"train": [1, 2]}}
    for name, content in {
        "base": base,
        "middle": {"base": "base", "net": {"heads": 4}},
        "last": {"base": "middle", "data": {"train": [3]}},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert read(tmp_path / "base.json") == base
    assert read(tmp_path / "last.json") == {
        "task": "translation",
        "net": {"width": 8, "heads": 4},
        "data": {"train": [3]},
    }


def test_a_list_may_be_added_to_instead_of_replaced(tmp_path: Path) -> None:
    for name, content in {
        "base": {"data": {"train": [1, 2]}},
        "middle": {"base": "base", "data": {"train+": [3], "dev+": [4]}},
        "last": {"base": "middle", "data": {"train+": [5]}},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert read(tmp_path / "last.json") == {"data": {"train": [1, 2, 3, 5], "dev": [4]}}


def test_the_small_family_differs_in_its_nets_alone() -> None:
    family = [read(path) for path in sorted(Path("models/recipes").glob("en-de-small-*.json"))]
    assert len(family) > 7
    recurrent = [one for one in family if one["net"]["kind"] != "transformer"]
    for one in recurrent:
        assert (one["data"], one["train"]) == (family[0]["data"], family[0]["train"])
        assert one["net"]["decoder"] == family[0]["net"]["decoder"]
