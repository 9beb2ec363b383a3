"""Pieces become words, and weights follow them. Knows nothing of models."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.text import Piece
from service.maps.envelope import AttentionMap, GridKeys, Picture, TextKeys
from service.maps.words import Answer, grid_map, grouped, text_keys, text_map
from tests.maps.examples import (
    ANSWER,
    ANSWER_PIECES,
    LOGPROBS,
    MERGED,
    ROWS,
    SOURCE,
    SOURCE_PIECES,
    cut,
    ending,
    translation,
)


def words(text: str, *cuts: str) -> list[str]:
    pieces = cut(text, *cuts)
    return [text[pieces[group[0]].start : pieces[group[-1]].end] for group in grouped(pieces, "word")]


def keys(map_: AttentionMap) -> TextKeys:
    assert isinstance(map_.keys, TextKeys)
    return map_.keys


def test_weights_are_summed_over_source_pieces_and_averaged_over_target_pieces():
    np.testing.assert_allclose(translation().weights, MERGED, atol=1e-6)


def test_rows_still_sum_to_one():
    np.testing.assert_allclose(translation().weights.sum(axis=1), 1, atol=1e-6)


def test_every_word_knows_its_place_in_its_own_text():
    map_ = translation()
    assert [(q.i, q.text, q.start, q.end) for q in map_.queries] == [(0, "Häuser", 0, 6), (1, "brennen", 7, 14)]
    assert [k.text for k in keys(map_).items] == ["The", "houses", "burn", ".", "</s>"]
    assert [SOURCE[k.start : k.end] for k in keys(map_).items] == ["The", "houses", "burn", ".", ""]


def test_the_source_end_is_the_last_key_and_an_empty_span():
    last = keys(translation()).items[-1]
    assert (last.i, last.text, last.start, last.end) == (4, "</s>", len(SOURCE), len(SOURCE))


def test_a_words_logprob_is_the_sum_of_its_pieces():
    assert [q.logprob for q in translation().queries] == [-0.75, -1.0]


def test_the_map_by_pieces_is_the_rows_themselves_without_that_of_eos():
    map_ = text_map(SOURCE, SOURCE_PIECES, Answer(ANSWER, ANSWER_PIECES, LOGPROBS), ROWS, unit="piece")
    np.testing.assert_array_equal(map_.weights, ROWS[:3])
    assert map_.unit == "piece"
    assert [q.text for q in map_.queries] == ["Häus", "er", "brennen"]
    assert [k.text for k in keys(map_).items] == ["The", "house", "s", "burn", ".", "</s>"]


def test_an_answer_cut_off_before_its_end_keeps_every_row():
    map_ = text_map(SOURCE, SOURCE_PIECES, Answer(ANSWER, ANSWER_PIECES[:3]), ROWS[:3])
    np.testing.assert_allclose(map_.weights, MERGED, atol=1e-6)
    assert [q.logprob for q in map_.queries] == [None, None]


def test_a_transposed_matrix_is_refused():
    with pytest.raises(ValueError, match="one weight a key"):
        text_map(SOURCE, SOURCE_PIECES, Answer(ANSWER, ANSWER_PIECES), ROWS.T)


def test_an_empty_answer_has_an_empty_map():
    map_ = text_map(SOURCE, SOURCE_PIECES, Answer("", [ending("")], LOGPROBS[3:]), ROWS[3:])
    assert (map_.queries, map_.weights.shape) == ([], (0, 5))


def test_punctuation_at_the_edges_of_a_word_is_an_item_of_its_own():
    assert words("„Der Mann.“", "_„", "Der", "_Man", "n", ".", "“") == ["„", "Der", "Mann", ".“"]


def test_punctuation_inside_a_word_stays_there():
    assert words("don't 3,5", "_don", "'", "t", "_3", ",", "5") == ["don't", "3,5"]


def test_a_piece_that_holds_letter_and_full_stop_is_not_cut():
    assert words("Mann.", "_Man", "n.") == ["Mann."]


def test_punctuation_alone_is_one_word():
    assert words("wait ...", "_wait", "_.", ".", ".") == ["wait", "..."]


def test_scripts_without_spaces_are_cut_into_their_pieces():
    assert words("犬が走る。", "_犬", "が", "走る", "。") == ["犬", "が", "走る", "。"]


def test_a_piece_that_is_only_a_space_joins_the_word_after_it():
    pieces = [Piece(9, "", 0, 0, True), Piece(10, "Haus", 0, 4, False), Piece(11, "", 4, 4, True)]
    assert grouped(pieces, "word") == [[0, 1, 2]]


def test_a_lone_space_before_a_mark_goes_with_the_mark():
    text = "so (mit) 😀 ."
    pieces = [
        Piece(10, "so", 0, 2, True),
        Piece(11, "", 3, 3, True),
        *(
            Piece(12 + i, cut_, at, at + len(cut_), False)
            for i, (cut_, at) in enumerate([("(", 3), ("mit", 4), (")", 7)])
        ),
        Piece(15, "", 9, 9, True),
        Piece(16, "😀", 9, 10, False),
        Piece(17, "", 11, 11, True),
        Piece(18, ".", 11, 12, False),
    ]
    map_ = text_map(text, pieces, Answer("", []), np.zeros((0, 10), np.float32))
    assert [k.text for k in keys(map_).items] == ["so", "(", "mit", ")", "😀", ".", "</s>"]


def test_a_lone_space_opens_one_word_and_not_two():
    pieces = [Piece(9, "", 0, 0, True), Piece(10, "Haus", 0, 4, True), Piece(11, "boot", 4, 8, False)]
    assert grouped(pieces, "word") == [[0, 1, 2]]


def test_cells_of_a_picture_are_not_merged_but_words_and_gates_are():
    grid = GridKeys(rows=1, cols=3, image=Picture(width=30, height=10), crop=(0, 0, 30, 10))
    rows = np.array([[0.2, 0.8, 0.0], [0.6, 0.0, 0.4], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], np.float32)
    text = "a doghouse"
    answer = Answer(text, [*cut(text, "_a", "_dog", "house"), ending(text)], np.array([-1.0, -2.0, -3.0, -4.0]))
    drawn = np.array([1.0, 2.0, 0.0, 0.0])  # as the engine tells it: floats
    map_ = grid_map(answer, rows, grid, gate=np.array([0.5, 0.2, 0.4, 0.9]), sampled=drawn)
    np.testing.assert_allclose(map_.weights, [[0.2, 0.8, 0.0], [0.3, 0.0, 0.7]], atol=1e-6)
    assert [(q.text, q.logprob) for q in map_.queries] == [("a", -1.0), ("doghouse", -5.0)]
    assert map_.gate == pytest.approx([0.5, 0.3])
    assert map_.sampled == [1, 2]  # a word's is its first piece's
    assert (map_.kind, map_.keys) == ("spatial", grid)


WINDOW = np.array([[-1.5, 1.5], [0.2, 3.9], [3.0, 9.0], [5.0, 6.0]])  # of Häus, er, brennen and EOS


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("piece", [(0, 1), (1, 3), (3, 5)]),  # whole positions within, as far as the source goes
        ("word", [(0, 2), (2, 4)]),  # The to burn, of both pieces together; burn to </s>
    ],
)
def test_a_window_is_told_as_its_first_and_last_key(unit, expected):
    answer = Answer(ANSWER, ANSWER_PIECES, LOGPROBS)
    map_ = text_map(SOURCE, SOURCE_PIECES, answer, ROWS, unit=unit, window=WINDOW)
    assert map_.window == expected


def test_a_model_without_a_window_tells_none():
    assert translation().window is None


def test_a_word_begins_and_ends_where_something_is_seen_of_it() -> None:
    silent, dog, gone = Piece(5, "", 0, 0, True), Piece(6, "dog", 2, 5, False), Piece(7, "", 6, 6, False)
    (word, _) = text_keys("  dog ", [silent, dog, gone], "word").items
    assert (word.text, word.start, word.end) == ("dog", 2, 5)
    (lone, _) = text_keys("  ", [silent], "word").items
    assert (lone.text, lone.start, lone.end) == ("", 0, 0)
