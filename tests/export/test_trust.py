"""Flip rates of a bundle: which words count, and that the echo's maps decide all of its words."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np

from bundle.manifest import Bundle
from bundle.text import EOS
from export.samples import source
from export.trust import FUNCTION, KINDS, measure, sentences, tau, words
from service.engine.session import Session
from service.messages import Hypothesis


def said(bundle: Bundle, text: str, changed: list[int]) -> Hypothesis:
    """An answer of which these pieces change without the position most attended to."""
    ids = [*bundle.text.ids(text), EOS]
    first = np.array(ids)[:, None].repeat(4, 1)
    first[changed, 1] += 1
    logprobs = np.zeros((len(ids), 4))
    logprobs[0], logprobs[1] = [-1, -3, -1, -2], [-1, -1.5, -1, -4]
    extras = {"tried_first": first, "tried_logprobs": logprobs}
    return Hypothesis(ids, np.zeros(len(ids)), 0.0, "stop", extras=extras)


def test_a_word_stays_if_all_its_pieces_do_and_marks_are_no_words(toys: Path) -> None:
    bundle = Bundle(toys / "toy-echo")
    text = "der Ball steht."
    last = len(bundle.text.ids("der Ball steht")) - 1
    found = list(words(bundle, said(bundle, text, [last, last + 1]), "de"))
    assert [word.kind for word in found] == ["function", "content", "content"]
    assert [word.mask for word in found] == [True, True, False]
    assert all(word.uniform for word in found)


def test_tau_counts_pairs_by_which_of_two_positions_mattered_more(toys: Path) -> None:
    found = tau(said(Bundle(toys / "toy-echo"), "der Ball", []))
    assert found[:2].tolist() == [1, -1]
    assert not found[2:].any()


def test_no_word_of_the_echo_stays_without_the_word_it_echoes(echo: Session, toys: Path) -> None:
    bundle = Bundle(toys / "toy-echo")
    found = measure(echo, bundle, [source(bundle.text, text) for text in ("der Ball", "ein Haus am Fluss")], "de")
    assert found["words unchanged, strongest position masked, %"] == 0
    assert {name.split()[0] for name in found} == {*KINDS, "words", "Kendall's"}


def test_each_pair_is_asked_on_a_set_that_there_is_with_its_tag(toys: Path, tmp_path: Path) -> None:
    folder = tmp_path / "translation"
    for name in ("multi30k", "tatoeba"):
        (folder / name).mkdir(parents=True)
    for code in ("de", "fr"):
        (folder / f"multi30k/test_2016_flickr.{code}.xz").write_bytes(lzma.compress(b"x\n"))
    lines = "\n".join(f"he has {i} books\tx" for i in range(200))
    for name in ("deu", "fra"):
        (folder / f"tatoeba/{name}-eng.tsv.xz").write_bytes(lzma.compress(f"{lines}\n".encode()))
    bundle = Bundle(toys / "toy-pairs")
    found = sentences(bundle, tmp_path, 2)
    assert [one.name for one in found] == [
        "tatoeba held back en-de",
        "tatoeba held back en-fr",
        "multi30k/test_2016_flickr fr-de",
    ]
    assert [one.target for one in found] == ["de", "fr", "de"]
    assert [one.inputs[0]["source"][0] for one in found[:2]] == [
        bundle.tag(pair)[0] for pair in bundle.manifest.pairs[:2]
    ]


def test_function_words_are_lower_case_and_stand_once() -> None:
    for listed in FUNCTION.values():
        assert listed == listed.lower()
        assert len(listed.split()) == len(set(listed.split()))
