"""Sources made up for real targets: whose, by whom, which are left out, and that they are written once."""

from __future__ import annotations

import json
import lzma
from itertools import permutations
from pathlib import Path

import pytest

from bundle.manifest import Bundle
from export.back import made_up, main, texts, way_back
from models.data import Pair, held_back
from service.engine.session import Session

ENTRY = {
    "file": "../back/de.tsv.xz",
    "source": "de",
    "target": "en",
    "tabbed": ["fra.tsv.xz"],
    "without": ["deu.tsv.xz"],
}
WORDS = permutations(["the", "old", "lazy", "dog", "river", "house"], 5)
HELD = next(text for text in map(" ".join, WORDS) if held_back(text))  # in words that the toys can say


@pytest.fixture
def data(tmp_path: Path) -> Path:
    french = f"the old house\tla vieille maison\nthe old house\tla maison\na red ball\tun ballon\n{HELD}\tle chien\n"
    (tmp_path / "fra.tsv.xz").write_bytes(lzma.compress(french.encode()))
    (tmp_path / "deu.tsv.xz").write_bytes(lzma.compress(b"a red ball\tein Ball\n"))
    return tmp_path


def test_each_sentence_is_taken_once_and_none_that_is_held_back_or_known(data: Path) -> None:
    assert texts({**ENTRY, "without": []}, data) == ["a red ball", "the old house"]
    assert texts(ENTRY, data) == ["the old house"]
    assert texts({**ENTRY, "target": "fr", "without": []}, data) == ["la maison", "un ballon", "la vieille maison"]


def test_the_teacher_goes_the_other_way_with_the_piece_that_asks_for_it(toys: Path) -> None:
    several = Bundle(toys / "toy-pairs")
    assert way_back(several, {"source": "fr", "target": "en"}).tag == "<2fr>"
    assert way_back(several, {"source": "de", "target": "fr"}).tag is None
    with pytest.raises(ValueError, match="from de to en"):
        way_back(several, {"source": "en", "target": "de"})


@pytest.mark.parametrize("teacher", ["toy-echo", "toy-pairs"])
def test_a_recipe_s_texts_are_written_once(
    teacher: str, toys: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = {"teacher": str(toys / teacher), "texts": [ENTRY]}
    (data / "recipe.json").write_text(json.dumps({"back": part}))
    arguments = ["--recipe", str(data / "recipe.json"), "--data", str(data), "--out", str(data / "run")]
    assert main(arguments) == 0
    written = data / "back" / "de.tsv.xz"
    assert lzma.decompress(written.read_bytes()).decode() == "the old house\tthe old house\n"
    monkeypatch.setattr("export.back.Session", None)
    assert main(arguments) == 0


def test_a_made_up_sentence_of_the_test_set_is_left_out(
    echo: Session, toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be: two English sentences can have one translation, and only one of them be held back."""
    (tmp_path / "deu.tsv.xz").write_bytes(lzma.compress(f"the dog\t{HELD}\nthe cat\tthe house\n".encode()))
    entry = {"file": "deu.tsv.xz", "source": "en", "target": "de", "tabbed": ["deu.tsv.xz"]}
    bundle = Bundle(toys / "toy-echo")
    monkeypatch.setattr("export.back.way_back", lambda *_: bundle.manifest.pairs[0])
    real = texts(entry, tmp_path)
    assert real == ["the house", HELD]
    assert made_up(echo, bundle, entry, real) == [Pair("the house", "the house")]
    assert len(made_up(echo, bundle, {**entry, "source": "fr"}, real)) == 2


def test_a_recipe_without_such_a_part_gets_no_text(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    assert main(["--recipe", str(tmp_path / "recipe.json"), "--data", str(tmp_path), "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.json"]
