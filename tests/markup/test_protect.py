"""Spans through a model that says what a test makes it say: pieces are words here, and rows are written out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bundle.text import Piece
from service.markup.place import Placed, place, with_added
from service.markup.placeholders import Span, apart, placeholders, terms
from service.markup.protect import Masked, mask
from service.markup.tags import tagged


def pieces(text: str) -> list[Piece]:
    """Words and marks, each one piece."""
    found = re.finditer(r"\w+|[^\w\s]", text)
    return [Piece(9, m[0], m.start(), m.end(), m.start() == 0 or text[m.start() - 1] == " ") for m in found]


def through(text: str, answer: str, looks: dict[str, str] | None, spans: list[Span] | None = None) -> Placed:
    """The answer with what the text keeps; looks: which word of the answer looks at which word of what was read."""
    masked = mask(text, placeholders(text) if spans is None else spans)
    source, said = pieces(masked.text), pieces(answer)
    rows = None
    if looks is not None:
        rows = np.full((len(said), len(source) + 1), 0.01, np.float32)
        for i, word in enumerate(said):
            rows[i, [piece.text for piece in source].index(looks[word.text]) if word.text in looks else -1] = 0.9
    columns = masked.columns(source)
    placed = place(masked, columns, answer, said, rows)
    grown = None if rows is None else with_added(rows, placed.added, columns)
    return tagged(masked, source, placed, grown)


def test_a_name_that_was_copied_gives_way_to_what_it_stood_for() -> None:
    assert mask("Hello {name}, hi", placeholders("Hello {name}, hi")).text == "Hello Tom, hi"
    assert through("Hello {name}, hi", "Hallo Tom, hi", None).text == "Hallo {name}, hi"


def test_no_name_is_used_that_the_text_has_itself() -> None:
    assert mask("Tom saw {x}", placeholders("Tom saw {x}")).text == "Tom saw Boston"


def test_a_town_stands_for_what_is_behind_a_word_of_place() -> None:
    assert mask("Er wohnt in {x}.", placeholders("Er wohnt in {x}.")).text == "Er wohnt in Boston."
    assert mask("{a} to {b} by {c}", placeholders("{a} to {b} by {c}")).text == "Tom to Boston by John"


def test_a_name_that_was_not_copied_is_looked_for_on_the_map() -> None:
    placed = through("A {x} sits", "Ein Mann sitzt", {"Ein": "A", "Mann": "Tom", "sitzt": "sits"})
    assert placed.text == "Ein {x} sitzt"


def test_a_name_that_was_said_twice_is_kept_where_it_looks_and_goes_elsewhere() -> None:
    placed = through("A {x} sits", "Tom ein Tom sitzt", {"ein": "A", "Tom": "sits"})
    assert placed.text.count("{x}") == 1
    assert "Tom" not in placed.text


def test_without_a_map_spans_stand_as_far_into_the_answer_as_into_the_text() -> None:
    assert through("a b c d {x}", "eins zwei drei vier fünf", None).text == "eins zwei drei vier {x}"


@pytest.mark.parametrize("answer", ["", ".", "ja", "Tom", "Tom Tom Tom Tom Tom", "Boston und Tom", "…!?", "Tom's"])
@pytest.mark.parametrize("with_map", [True, False])
def test_each_span_is_in_the_answer_once_whatever_the_model_says(answer: str, with_map: bool) -> None:
    text = "The {a} and %s or ${b} and & <b>{{ c }} with</b> https://d.example it"
    placed = through(text, answer, {} if with_map else None)
    for one in ("{a}", "%s", "${b}", "{{ c }}", "https://d.example", "<b>", "</b>"):
        assert placed.text.count(one) == 1, placed.text
    assert placed.text.index("<b>") < placed.text.index("</b>")


def test_pieces_lie_where_their_words_are_in_the_answer_and_a_span_is_one_of_them() -> None:
    placed = through("A {x} <b>sits</b>.", "Ein Tom sitzt.", {"Ein": "A", "Tom": "Tom", "sitzt": "sits"})
    assert placed.text == "Ein {x} <b>sitzt</b>."
    assert [placed.text[one.start : one.end] for one in placed.pieces] == ["Ein", "{x}", "sitzt", "."]


def test_a_span_beside_what_the_model_said_is_a_piece_of_its_own_whose_row_looks_at_it() -> None:
    text = "{a} or {b}"
    masked = mask(text, placeholders(text))
    source = pieces(masked.text)
    columns = masked.columns(source)
    rows = np.array([[0.1, 0.1, 0.7, 0.1]], np.float32)  # `oder` looks at the second name
    placed = place(masked, columns, "oder", pieces("oder"), rows)
    assert [placed.text[one.start : one.end] for one in placed.pieces] == ["{a}", "{b}"]
    assert with_added(rows, placed.added, columns)[placed.added[0][0]].tolist() == [1, 0, 0, 0]


def test_the_pieces_of_what_was_read_lie_in_the_text_that_was_asked() -> None:
    text = "See <b>{name}</b> in 3 {x}px now"
    masked = mask(text, placeholders(text))
    assert masked.text == "See Tom in 3 Boston now"
    back = masked.restored(pieces(masked.text))
    assert [text[one.start : one.end] for one in back] == ["See", "{name}", "in", "3", "{x}px", "now"]


def test_nothing_but_placeholders_is_answered_as_it_stands() -> None:
    assert through(" {0}/{1}: %s ", "Ein Hund. Tom", {}).text == "{0}/{1}: %s"


def test_a_term_is_called_what_it_should_be_where_the_model_had_its_word() -> None:
    spans = terms("the dog and the cat", {"dog": "HUND", "cat": "KATZE"})
    looks = {"Katze": "cat", "Köter": "dog"}
    assert through("the dog and the cat", "die Katze und der Köter", looks, spans).text == "die KATZE und der HUND"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a <b>red</b> <i>dog</i>", "<i>Hund</i> <b>rot</b>"),
        ("<b>a <i>red</i> dog</b>", "<b>Hund <i>rot</i></b>"),
        ("<b>a red dog</b>", "<b>Hund rot</b>"),
        ("a red dog<br/>", "Hund rot<br/>"),
        ("a red<br/>dog", "rot<br/>Hund"),
        ("<p></p>a red dog", "<p></p>Hund rot"),
    ],
)
def test_tags_go_around_the_words_that_came_from_what_they_were_around(text: str, answer: str) -> None:
    said = "Hund rot" if answer.index("Hund") < answer.index("rot") else "rot Hund"
    assert through(text, said, {"Hund": "dog", "rot": "red"}).text == answer


def test_a_tag_whose_other_half_is_in_another_sentence_stays_on_its_side() -> None:
    opened = [Span(2, 5, "<b>", "open")]
    closed = [Span(5, 9, "</b>", "close")]
    assert through("a <b>red dog", "Hund rot", {"Hund": "dog", "rot": "red"}, opened).text == "<b>Hund rot"
    assert through("a red</b> dog", "Hund rot", {"Hund": "dog", "rot": "red"}, closed).text == "Hund rot</b>"


def test_letters_that_a_placeholder_is_glued_to_stay_with_it_once() -> None:
    for text in ("v{a}b{c}d and more", "{a}{c} and more", "x{a}, {c}y and more"):
        masked: Masked = mask(text, apart(placeholders(text)))
        assert masked.text == "Tom and more"
        assert masked.slots[0].says == text.removesuffix(" and more")


class Counted(tuple[Any, ...]):
    """Slots that count how often all of them are gone through."""

    __slots__ = ()

    rounds = 0

    def __iter__(self) -> Iterator[Any]:
        Counted.rounds += 1
        return super().__iter__()


def test_slots_are_not_gone_through_for_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "A {x} runs! " * 200
    masked = mask(text, placeholders(text))
    counted = replace(masked, slots=Counted(masked.slots))
    monkeypatch.setattr(Counted, "rounds", 0)
    said = [text[one.start : one.end] for one in counted.restored(pieces(masked.text))]
    assert said == ["A", "{x}", "runs", "!"] * 200
    assert counted.columns(pieces(masked.text)) == [[4 * i + 1] for i in range(200)]
    assert Counted.rounds < 10


class Letters(str):
    """A text that counts the letters that are read of it one by one, and those of its parts."""

    __slots__ = ()

    read = 0

    def __getitem__(self, at: Any) -> str:
        got = super().__getitem__(at)
        Letters.read += len(got)
        return got


def test_letters_that_several_spans_are_glued_to_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Letters, "read", 0)
    text = Letters("dog " + "x" * 2000 + " cat")
    masked = mask(text, [Span(i, i + 1, "x") for i in range(4, 2004, 4)])
    assert (masked.text, masked.slots[0].says) == ("dog Tom cat", "x" * 2000)
    assert Letters.read < 20 * len(text)


def test_spans_in_a_row_are_one_with_what_is_between_them() -> None:
    text = "dog " + "{x}a, " * 500 + "cat"
    masked = mask(text, [Span(i, i + 3, "{x}") for i in range(4, 3004, 6)])
    assert (masked.text, masked.slots[0].says) == ("dog Tom, cat", text[4:3002])


def test_what_is_all_capitals_around_names_is_read_in_small_letters_with_the_names_as_they_are() -> None:
    text = "A {x} RUNS! B {y} SITS."
    masked = mask(text, placeholders(text))
    assert masked.around_names() == "A     RUNS! B        SITS."
    assert masked.reading(masked.text.lower()).text == "a Tom runs! b Boston sits."


def test_elements_may_be_as_deep_in_one_another_as_a_text_is_long() -> None:
    text = "<b>" * 3000 + "red" + "</b>" * 3000
    assert through(f"a {text} dog", "Hund rot", {"Hund": "dog", "rot": "red"}).text == "Hund " + text.replace(
        "red", "rot"
    )


def test_tags_without_words_stay_where_they_were_and_pieces_move_along() -> None:
    text = "red " + "<b></b>" * 3000 + "dog"
    placed = through(text, "rot Hund", {"Hund": "dog", "rot": "red"})
    assert placed.text == "rot " + "<b></b>" * 3000 + "Hund"
    assert [placed.text[one.start : one.end] for one in placed.pieces] == ["rot", "Hund"]
