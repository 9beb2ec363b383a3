"""Flip rates of a bundle: which words count, and that the echo's maps decide all of its words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bundle.manifest import Bundle
from bundle.text import EOS
from export.samples import source
from export.trust import FUNCTION, KINDS, measure, tau, words
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
    found = list(words(bundle, said(bundle, text, [last, last + 1])))
    assert [word.kind for word in found] == ["function", "content", "content"]
    assert [word.mask for word in found] == [True, True, False]
    assert all(word.uniform for word in found)


def test_tau_counts_pairs_by_which_of_two_positions_mattered_more(toys: Path) -> None:
    found = tau(said(Bundle(toys / "toy-echo"), "der Ball", []))
    assert found[:2].tolist() == [1, -1]
    assert not found[2:].any()


def test_no_word_of_the_echo_stays_without_the_word_it_echoes(echo: Session, toys: Path) -> None:
    bundle = Bundle(toys / "toy-echo")
    found = measure(echo, bundle, [source(bundle.text, text) for text in ("der Ball", "ein Haus am Fluss")])
    assert found["words unchanged, strongest position masked, %"] == 0
    assert {name.split()[0] for name in found} == {*KINDS, "words", "Kendall's"}


def test_function_words_are_lower_case_and_stand_once() -> None:
    for listed in FUNCTION.values():
        assert listed == listed.lower()
        assert len(listed.split()) == len(set(listed.split()))
