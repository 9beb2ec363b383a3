"""Long texts as sentences: cut where they end, nothing lost between them, nothing longer than a model reads."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.manifest import Bundle
from bundle.text import Vocabulary
from service.tasks import documents
from service.tasks.documents import parts, split, text_of
from tests.fakes import tiny_bundle

MOST = 12


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return Bundle(tiny_bundle(Path(tmp_path_factory.mktemp("zoo")), "tiny")).text


def cut(text: str, language: str, vocabulary: Vocabulary, most: int = 500) -> list[str]:
    return [text[start:end] for start, end, _ in split(text, language, vocabulary.pieces, most)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dr. Smith met Mr. Jones at 5 p.m. on Monday.|He left."),
        ("en", "“Are you sure?” he asked.|“Yes!”|It cost $3.50 approx. per unit."),
        ("en", "See e.g. Fig. 3 and pp. 12–14.|What?!|No way!"),
        ("de", "Im 19. Jahrhundert, d. h. früher, war das so.|Heute nicht."),
        ("de", "Am 3. Oktober kam Dr. Müller z. B. um 12.30 Uhr.|„Kommst du?“, fragte er."),
        ("fr", "M. Dupont a vu Mme. Durand.|Il est parti.|Le Dr. Martin habite av. Foch."),
        ("fr", "« Viens-tu ? » demanda-t-il.|« Non ! »"),
        ("es", "El Sr. García vio a la Sra. López.|Se fue.|¿Vienes?|¡No!"),
        ("es", "—¿Estás seguro? —preguntó.|—Sí."),
        ("xx", "One.|Two."),
        ("en", "i am here.|where are you?|come!"),
    ],
)
def test_sentences_end_where_a_reader_ends_them(language: str, text: str, vocabulary: Vocabulary) -> None:
    assert cut(text.replace("|", " "), language, vocabulary) == text.split("|")


def test_a_line_break_ends_a_sentence_and_what_has_no_words_is_none(vocabulary: Vocabulary) -> None:
    text = "A title\n\n  The dog sleeps.  \r\n* * *\r\n\tAnother line\n"
    assert cut(text, "en", vocabulary) == ["A title", "The dog sleeps.", "Another line"]


def test_one_sentence_is_one_part_that_is_alone(vocabulary: Vocabulary) -> None:
    (part,) = parts("The dog.", split("The dog.", "en", vocabulary.pieces, MOST), 3)
    assert (part.input, part.before, part.text, part.after, part.alone) == (3, "", "The dog.", "", True)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("the dog and the old house; two children play, with a red ball in the park", "the dog and the old house;"),
        ("the dog and the old house, two children play with a red ball in the park", "the dog and the old house,"),
        ("the dog and the old house two children play with a red ball in the park", None),
        ("x" * 200, None),
    ],
)
def test_what_is_too_long_is_cut_at_the_best_mark_there_is(
    text: str, first: str | None, vocabulary: Vocabulary
) -> None:
    found = cut(text, "en", vocabulary, MOST)
    assert len(found) > 1
    assert first is None or found[0] == first
    assert all(len(vocabulary.pieces(one)) <= MOST + 1 for one in found)  # cut inside a word, its end opens a piece
    assert "".join(found).replace(" ", "") == text.replace(" ", "")


@given(st.text(alphabet="ab .!?\n\t\r\u2028;,ÄéΩ漢😀\u0301()\"'1", max_size=300), st.sampled_from(["en", "de", "fr"]))
def test_whatever_the_text_its_parts_are_all_of_it(vocabulary: Vocabulary, text: str, language: str) -> None:
    spans = split(text, language, vocabulary.pieces, 8)
    assert all(start < end for start, end, _ in spans)
    whole = parts(text, spans, 0)
    assert not spans or text_of(whole, [part.text for part in whole]) == text
    assert all(part.text == part.text.strip() for part in whole)


class Letters(str):
    """A text that counts the letters that are taken out of it, and of what was taken."""

    __slots__ = ()
    taken: ClassVar[list[int]] = []

    def __getitem__(self, at: SupportsIndex | slice) -> Letters:
        got = super().__getitem__(at)
        Letters.taken.append(len(got))
        return Letters(got)


def test_a_long_sentence_is_cut_without_reading_what_is_before_a_clause_again(vocabulary: Vocabulary) -> None:
    text = "the dog and the old house two children play " * 100
    pieces = vocabulary.pieces(text)
    Letters.taken.clear()
    found = list(documents._short(Letters(text), 0, len(text), pieces, MOST))
    assert len(found) == 100
    assert sum(Letters.taken) < 30 * len(text)


@pytest.mark.parametrize("text", ["Am 1. Am 2. " * 500, "12. " * 500, "A. " + "b. " * 500])
def test_what_is_one_sentence_is_not_read_again_for_each_that_it_might_be(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Letters(text)
    places = [m.end() for m in re.finditer(r"\. ", line)]
    ends = [{"start_index": a, "end_index": b} for a, b in pairwise([0, *places])]
    monkeypatch.setattr(documents, "get_sentence_boundaries", lambda language, line: ends)
    Letters.taken.clear()
    assert list(documents._sentences(line, "de")) == [(0, len(line))]
    assert sum(Letters.taken) < 10 * len(line)
