"""Maps of a text over itself: whose words they are, where `<s>` stands, and what a merge of pieces leaves."""

from __future__ import annotations

import numpy as np

from bundle.text import EOS, Piece
from service.maps.envelope import AttentionMap, TextKeys
from service.maps.selves import decoder_map, encoder_map
from service.maps.words import Answer


def words(map_: AttentionMap) -> list[str]:
    assert isinstance(map_.keys, TextKeys)
    return [item.text for item in map_.keys.items]


PIECES = [Piece(9, "Hun", 0, 3, True), Piece(10, "de", 3, 5, False), Piece(11, "bellen", 6, 12, True)]
TEXT = "Hunde bellen"
END = Piece(EOS, "", 12, 12, True)


def test_an_encoders_map_has_the_words_of_the_source_on_both_sides() -> None:
    rows = np.full((4, 4), 0.25, np.float32)
    made = encoder_map(TEXT, PIECES, rows, unit="word", layer=1, head=2)
    assert (made.kind, made.stack, made.layer, made.head) == ("self", "encoder", 1, 2)
    assert [item.text for item in made.queries] == ["Hunde", "bellen"]
    assert words(made) == ["Hunde", "bellen", "</s>"]
    assert made.weights.tolist() == [[0.5, 0.25, 0.25]] * 2


def test_what_stands_before_the_source_is_left_out() -> None:
    rows = np.eye(5, dtype=np.float32)
    made = encoder_map(TEXT, PIECES, rows, unit="piece", layer=0, head=0)
    assert made.weights.tolist() == np.eye(4)[:3].tolist()


def test_a_decoders_keys_are_what_had_been_read_with_the_start_last() -> None:
    rows = np.array([[1, 0, 0, 0], [0.4, 0.6, 0, 0], [0.1, 0.2, 0.7, 0], [0.1, 0.1, 0.1, 0.7]], np.float32)
    made = decoder_map(Answer(TEXT, [*PIECES, END]), rows, unit="piece", layer=0, head=0)
    assert words(made) == ["Hun", "de", "bellen", "<s>"]
    expected: list[list[float]] = [[0, 0, 0, 1], [0.6, 0, 0, 0.4], [0.2, 0.7, 0, 0.1]]
    assert np.allclose(made.weights, expected) and made.stack == "decoder"


def test_an_answer_that_was_cut_has_no_key_for_its_last_piece() -> None:
    rows = np.tril(np.ones((3, 3), np.float32)) / np.arange(1, 4)[:, None]
    made = decoder_map(Answer(TEXT, PIECES), rows, unit="piece", layer=0, head=0)
    assert words(made) == ["Hun", "de", "<s>"]
    assert np.allclose(made.weights.sum(1), 1)
