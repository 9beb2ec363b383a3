"""A teacher's text: what is asked of it, what is left out, and which of its answers is taken."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from bundle.manifest import Bundle
from export.distil import agreed, captions, chosen, distilled, main
from models.data import Pair
from service.engine.session import Session

TOKENS = """1000_ab.jpg#0\tA dog 's ball , in the snow .
1000_ab.jpg#1\ta cat sleeps
2000_cd.jpg#0\tA picture of the test set .
3000_ef.jpg#0\tNot in the training split .
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Flickr_8k.trainImages.txt").write_text("1000_ab.jpg\n2000_cd.jpg\n")
    (tmp_path / "Flickr8k.token.txt").write_text(TOKENS)
    return tmp_path


def test_captions_become_plain_sentences_and_those_of_test_pictures_are_left_out(folder: Path) -> None:
    assert list(captions(folder, {"2000"})) == ["A dog's ball, in the snow.", "A cat sleeps."]
    assert len(list(captions(folder, set()))) == 3


def test_the_answer_closest_to_a_human_one_is_taken_and_the_best_where_there_is_none() -> None:
    texts = ["Ein Hund läuft.", "Ein Hund rennt im Schnee.", "Eine Katze."]
    assert chosen(texts, "Der Hund rennt im Schnee.") == texts[1]
    assert chosen(texts, "") == texts[0]


def test_of_several_teachers_texts_the_one_most_agreed_on_is_taken() -> None:
    texts = [
        "Eine Katze.",
        "Ein Hund rennt im Schnee.",
        "Ein Hund rennt durch den Schnee.",
        "Ein Hund rennt im Schnee.",
    ]
    assert agreed(texts) == "Ein Hund rennt im Schnee."
    assert agreed(["Ein Haus."]) == "Ein Haus."


def test_several_teachers_are_asked_and_the_human_answer_still_decides(echo: Session, toys: Path) -> None:
    bundle = Bundle(toys / "toy-echo")
    pairs = [Pair("the old house", ""), Pair("a red ball", "a red ball")]
    assert distilled([(echo, bundle), (echo, bundle)], pairs, beam=2) == [Pair(one.source, one.source) for one in pairs]


def test_every_source_gets_its_own_translation(echo: Session, toys: Path) -> None:
    pairs = [Pair("the old house", ""), Pair("a red ball", "a red ball"), Pair("the dog", "")]
    found = distilled([(echo, Bundle(toys / "toy-echo"))], pairs, beam=3)
    assert found == [Pair(one.source, one.source) for one in pairs]


def test_a_recipe_names_its_teacher_and_its_text_is_written_once(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language in ("en", "de"):
        (tmp_path / f"train.{language}.xz").write_bytes(lzma.compress(b"the old house\na red ball\n"))
    part = {"teacher": str(toys / "toy-echo"), "file": "../text/distilled.tsv.xz", "aligned": ["train"]}
    content = {"card": {}, "data": {"source": "en", "target": "de"}, "distil": part}
    (tmp_path / "recipe.json").write_text(json.dumps(content))
    arguments = ["--recipe", str(tmp_path / "recipe.json"), "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    assert main(arguments) == 0
    written = tmp_path / "text" / "distilled.tsv.xz"
    assert lzma.decompress(written.read_bytes()).decode() == "the old house\tthe old house\na red ball\ta red ball\n"
    monkeypatch.setattr("export.distil.Session", None)
    assert main(arguments) == 0


def test_a_recipe_without_a_teacher_gets_no_text(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    assert main(["--recipe", str(tmp_path / "recipe.json"), "--data", str(tmp_path), "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.json"]
