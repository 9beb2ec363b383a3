"""Capitals: which texts shout, what the model reads instead, and an answer in capitals whose map still fits."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.text import Piece
from service.markup.capitals import calm, shouted
from service.markup.kept import kept
from service.markup.placeholders import Span, placeholders
from service.messages import Hypothesis


@pytest.mark.parametrize("text", ["THE DOG SLEEPS", "WER IST DA?", "À BIENTÔT, 2 FOIS!"])
def test_two_words_of_capitals_shout(text: str) -> None:
    assert shouted(text)


@pytest.mark.parametrize("text", ["The DOG", "NATO", "I AM", "12 + 3 = 15", "", "the dog sleeps"])
def test_names_short_words_and_mixed_letters_do_not(text: str) -> None:
    assert not shouted(text)


@pytest.mark.parametrize("text", ["THE DOG SLEEPS", "„ÖL İST DA“"])
def test_each_letter_stays_in_its_place(text: str) -> None:
    assert len(calm(text)) == len(text) and calm(text).upper()[:3] == text[:3]
    assert calm("„THE DOG“") == "„The dog“"


def cut(text: str) -> list[Piece]:
    starts = [i for i, character in enumerate(text) if i == 0 or text[i - 1] == " "]
    return [
        Piece(9 + k, word, at, at + len(word), True)
        for k, (at, word) in enumerate(zip(starts, text.split(), strict=True))
    ]


def test_what_is_read_is_small_and_what_is_said_is_loud_with_its_pieces_in_place() -> None:
    one = kept("DIE STRASSE", [], cut, capitals=True)
    assert [piece.text for piece in one.read] == ["Die", "strasse"]
    found = Hypothesis([9, 10], np.zeros(2), 0.0, "stop")
    _, text, pieces = one.said(found, "die Straße lang", cut("die Straße lang"), None)
    assert text == "DIE STRASSE LANG"
    assert [text[piece.start : piece.end] for piece in pieces] == ["DIE", "STRASSE", "LANG"]
    assert [piece.text for piece in pieces] == ["DIE", "STRASSE", "LANG"]


def test_what_is_kept_keeps_its_letters_in_a_sentence_that_shouts() -> None:
    text = "PAY {Amount} NOW, DOG"
    dog = Span(18, 21, "Wauwau", "read")
    one = kept(text, [*placeholders(text), dog], cut, capitals=True)
    assert one.masked.text == "Pay Tom now, dog"
    assert [piece.text for piece in one.pieces] == ["PAY", "{Amount}", "NOW,", "DOG"]
    found = Hypothesis([9, 10, 11, 12], np.zeros(4), 0.0, "stop")
    looks = np.eye(5, dtype=np.float32)[[0, 1, 2, 3]]
    _, said, pieces = one.said(found, "zahle Tom jetzt Hund", cut("zahle Tom jetzt Hund"), looks)
    assert said == "ZAHLE {Amount} JETZT Wauwau"
    assert [said[piece.start : piece.end] for piece in pieces] == said.split()


def test_it_is_left_alone_where_nobody_asked() -> None:
    assert [piece.text for piece in kept("THE DOG", [], cut).read] == ["THE", "DOG"]
