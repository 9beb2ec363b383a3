"""A teacher's text: what is asked of it, what is left out, and which of its answers is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.manifest import Bundle
from export.distil import captions, chosen, distilled
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


def test_every_source_gets_its_own_translation(echo: Session, toys: Path) -> None:
    pairs = [Pair("the old house", ""), Pair("a red ball", "a red ball"), Pair("the dog", "")]
    found = distilled(echo, Bundle(toys / "toy-echo"), pairs, beam=3)
    assert found == [Pair(one.source, one.source) for one in pairs]
