"""Scores through the engine: every pair of a bundle on the sets that there are for it, each text with its tag."""

from __future__ import annotations

import lzma
import zlib
from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import Bundle
from export import score
from export.samples import Inputs
from models.data import held_back
from service.engine.session import Session

LINES = ["a small house", "two children play", "the river", "she reads a book and drinks"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "translation/multi30k"
    folder.mkdir(parents=True)
    for language in ("en", "de", "fr"):
        (folder / f"test_2016_flickr.{language}.xz").write_bytes(lzma.compress("\n".join([*LINES, ""]).encode()))
    (folder / "test_2017_flickr.en.xz").write_bytes(lzma.compress(b"alone\n"))
    return tmp_path


def test_each_pair_is_scored_on_the_sets_that_there_are(toys: Path, data: Path, monkeypatch) -> None:
    bundle = Bundle(toys / "toy-pairs")
    fed: list[int] = []

    def say(_session: Session, _bundle: Bundle, inputs: list[Inputs], *_: float) -> list[str]:
        fed.extend(int(one["source"][0]) for one in inputs)
        return LINES

    monkeypatch.setattr(score, "say", say)
    found = score.translate(bundle, Session(bundle, precision="fp32"), data, 1, 1.0)
    names = [name for name in found if name != "maps"]
    assert names == [f"multi30k/test_2016_flickr {pair}" for pair in bundle.manifest.pairs]
    tags = [bundle.tag(pair) for pair in bundle.manifest.pairs]
    assert [fed[i] for i in (0, 4)] == [tag[0] for tag in tags[:2]] and tags[2] == ()
    assert all(np.isclose(value, 100) for name in names for metric, value in found[name].items() if "BLEU" in metric)


def test_some_sets_alone_leave_the_card_its_figure_of_maps(toys: Path, data: Path, monkeypatch) -> None:
    bundle = Bundle(toys / "toy-pairs")
    session = Session(bundle, precision="fp32")
    monkeypatch.setattr(score, "say", lambda *_: LINES)
    assert score.FORCED in score.translate(bundle, session, data, 1, 1.0)["maps"]
    assert "maps" not in score.translate(bundle, session, data, 1, 1.0, score.Wanted("multi30k"))


def test_only_the_sets_that_were_asked_for_are_read(toys: Path, data: Path) -> None:
    bundle = Bundle(toys / "toy-pairs")
    assert score.translate(bundle, Session(bundle, precision="fp32"), data, 1, 1.0, score.Wanted("tatoeba")) == {}
    assert score.caption(bundle, Session(bundle, precision="fp32"), data, 1, 1.0, score.Wanted("multi30k")) == {}


def test_sentences_that_were_seen_are_left_out_whichever_side_is_english(tmp_path: Path) -> None:
    held = [text for text in (f"the dog {i}" for i in range(400)) if held_back(text)]
    assert len(held) > 2
    folder = tmp_path / "translation/tatoeba"
    folder.mkdir(parents=True)
    (folder / "deu-eng.tsv.xz").write_bytes(lzma.compress("".join(f"{one}\tein Hund\n" for one in held).encode()))
    without = score.Wanted(without=frozenset({zlib.crc32(held[0].encode())}))
    for pair in (("en", "de"), ("de", "en")):
        assert len(score.test_sets(tmp_path, *pair, score.EVERY)["tatoeba held back"]) == len(held)
        left = score.test_sets(tmp_path, *pair, without)["tatoeba held back"]
        assert {text for one in left for text in one} == {*held[1:], "ein Hund"}
