"""Pieces and the characters they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.text import BOS, EOS, MANY, PAD, UNK, Piece, Vocabulary, _spans, has_words, train_vocabulary

LINES = ["zwölf große Bäume stehen am Fluss", "twelve big trees stand by the river", "the end, at last!"]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return Vocabulary(train_vocabulary(LINES, tmp_path_factory.mktemp("text") / "toy", 80))


@pytest.mark.parametrize("text", ["zwölf Bäume, am Ende!", "  two   spaces  ", "😀 emoji 😀x", "ﬁne ligature", "x"])
def test_spans_point_into_the_very_text_and_cover_its_words(vocabulary: Vocabulary, text: str) -> None:
    pieces = vocabulary.pieces(text)
    assert all(text[piece.start : piece.end] == piece.text for piece in pieces)
    assert "".join(piece.text for piece in pieces) == "".join(text.split())
    assert [piece.id for piece in pieces] == vocabulary.ids(text)
    assert pieces[0].opens


def test_a_words_first_piece_opens_it_and_the_others_do_not(vocabulary: Vocabulary) -> None:
    pieces = vocabulary.pieces("zwölf Bäume")
    starts = [piece.start for piece in pieces if piece.opens]
    assert starts == [0, 6]


def test_ids_are_spelled_with_a_span_each_and_the_end_is_an_empty_one(vocabulary: Vocabulary) -> None:
    ids = [*vocabulary.ids("große Bäume"), EOS]
    text, pieces = vocabulary.spelled(ids)
    assert text == "große Bäume" and len(pieces) == len(ids)
    assert "".join(piece.text for piece in pieces) == "großeBäume"
    assert (pieces[-1].start, pieces[-1].end, pieces[-1].text) == (len(text), len(text), "")
    assert vocabulary.text([BOS, *ids, PAD]) == text


def test_what_there_is_no_piece_for_is_told_and_not_remembered_without_end(vocabulary: Vocabulary) -> None:
    assert vocabulary.unread("ab🦊 Ω") >= {"🦊", "Ω"} and not {"a", " "} & vocabulary.unread("ab🦊 Ω")
    for start in range(0x4E00, 0x4E00 + 20_000, 1000):
        assert len(vocabulary.unread("".join(map(chr, range(start, start + 1000))))) == 1000
        assert len(vocabulary.known) <= MANY + 1000
    assert vocabulary.unread("".join(map(chr, range(0x4E00, 0x4E00 + MANY + 1)))) == set()


def test_what_was_never_seen_is_unknown_but_keeps_its_place(vocabulary: Vocabulary) -> None:
    pieces = vocabulary.pieces("am 犬")
    assert pieces[-1].id == UNK and pieces[-1].text == "犬" and pieces[-1].start == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", True), ("7", True), ("日本", True), ("😀!?", False), ("\x00\x07 \n", False), ("", False)],
)
def test_words_are_letters_or_digits(text: str, expected: bool) -> None:
    assert has_words(text) is expected


def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "not.model"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="not a sentencepiece model"):
        Vocabulary(path)


def test_white_space_on_either_side_of_a_piece_is_not_its_own() -> None:
    cut = {"ids": [7, 8], "pieces": ["▁a ", "\u3000"], "offsets": [(0, 4), (4, 6)]}
    assert _spans(cut, "  a \u3000 ") == [Piece(7, "a", 2, 3, True), Piece(8, "", 6, 6, False)]
