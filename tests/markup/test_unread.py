"""What a model cannot read: which spans those are, how they come out of a model, and that they cost next to nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.text import Piece
from service.markup.marked import Marked, marked
from service.markup.place import place
from service.markup.placeholders import Span
from service.markup.protect import mask
from tests.markup.test_protect import pieces, through

STRANGE = set("”—€%()&#@*/łŁóźΩ🍕•°+_éИван")


def spans(text: str, *, html: bool = False) -> list[tuple[str, str]]:
    return [(span.says, span.kind) for span in copying(text, html=html).spans]


def copying(text: str, *, html: bool = False) -> Marked:
    return marked(text, html=html).copying(STRANGE & set(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I live in Łódź.", [("Łódź", "name")]),
        ("Plain words, 3 times", []),
        ("At 12:30, in 1999, 1,000 times", [("12:30", "read"), ("1999", "read"), ("1,000", "read")]),
        ("It costs €20 (about £17).", [("€20", "name"), ("(", "open"), ("17", "read"), (")", "close")]),
        ("20 € or € 20, 50% and 50 %.", [("20 €", "name"), ("€ 20", "name"), ("50%", "name"), ("50 %", "name")]),
        ("I like 🍕 and Ωmega!", [("🍕 ", "point"), ("Ωmega", "name")]),
        ("Great! 🍕", [(" 🍕", "point")]),
        ("R&B and Tom & Jerry", [("R&B", "name"), ("& ", "point")]),
        ("and/or", [("/", "point")]),
        ("He said “no”.", [('"', "spelled")]),
        ("C++ and C# are *fun*", [("C++", "name"), ("C#", "name"), ("*", "open"), ("*", "close")]),
        ("Call +49 (0)30 123456 in May", [("+49 (0)30 123456", "name")]),
        ("born 12/03/1984", [("12/03/1984", "name")]),
        ("a) first", [(")", "point")]),
        ("(unpaired Łódź", [("(", "point"), ("Łódź", "name")]),
        ("{Łódź} and Łódź", [("{Łódź}", "name"), ("Łódź", "name")]),
    ],
)
def test_words_with_strange_letters_symbols_and_long_numbers_are_kept(text: str, wanted: list[tuple[str, str]]) -> None:
    assert spans(text) == wanted


def test_what_was_kept_already_stays_and_tags_are_not_crossed_by_brackets() -> None:
    assert spans("(<b>x</b>) Łódź") == [
        ("(", "point"),
        ("<b>", "open"),
        ("</b>", "close"),
        (")", "point"),
        ("Łódź", "name"),
    ]
    html = "<p>In <b>Łódź</b></p>"
    assert spans(html, html=True) == [("<b>", "open"), ("Łódź", "name"), ("</b>", "close")]


def test_nothing_is_kept_of_what_every_model_reads() -> None:
    text = "The house (by the river) costs 3 €."
    assert marked(text).copying(set()).spans == []


def test_spans_lie_where_they_say() -> None:
    text = "In Łódź 🍕 costs € 20 (about 50%), said “Иван” on +49 (0)30 123456."
    for span in copying(text).spans:
        assert span.kind == "spelled" or text[span.start : span.end] == span.says


def kept(text: str) -> list[Span]:
    return list(copying(text).spans)


def test_they_come_out_where_they_were_copied() -> None:
    assert through("He saw Łódź.", "Er sah Tom.", None, kept("He saw Łódź.")).text == "Er sah Łódź."
    text = "A dog (small) runs"
    looks = {"Ein": "A", "kleiner": "small", "Hund": "dog", "rennt": "runs"}
    assert through(text, "Ein kleiner Hund rennt", looks, kept(text)).text == "Ein (kleiner) Hund rennt"
    text = "I eat 🍕 today"
    looks = {"Heute": "today", "esse": "eat", "ich": "I"}
    assert through(text, "Heute esse ich", looks, kept(text)).text == "🍕 Heute esse ich"


def test_a_number_takes_the_place_of_what_was_made_of_it() -> None:
    text = "He is 25 years old"
    looks = {"Er": "He", "ist": "is", "dreißig": "25", "Jahre": "years"}
    assert through(text, "Er ist dreißig Jahre", looks, kept(text)).text == "Er ist 25 Jahre"
    assert through(text, "Er ist 25 Jahre", {**looks, "Jahre": "25"}, kept(text)).text == "Er ist 25 Jahre"


def test_a_stop_in_the_piece_of_a_number_stays() -> None:
    text = "He died in 1999."
    source, said = pieces("He died in 1999."), [*pieces("Er starb"), Piece(9, "2013.", 9, 14, True)]
    rows = np.full((3, len(source) + 1), 0.1, np.float32)
    rows[2, 3] = 1
    masked = mask(text, kept(text))
    assert place(masked, masked.columns(source), "Er starb 2013.", said, rows).text == "Er starb 1999."


def test_a_name_that_is_said_once_too_often_leaves_no_space_where_it_began_the_answer() -> None:
    looks = {"tom": "costs", "Tom": "Tom", "kostet": "costs"}
    assert through("It costs {a}", "tom kostet Tom", looks).text == "kostet {a}"


@pytest.mark.parametrize("text", ["(" * 50_000 + "]" * 50_000, "€ 2" * 40_000, "a—" * 50_000, "((a) " * 40_000])
def test_what_is_no_text_is_left_to_the_model(text: str) -> None:
    assert len(copying(text).spans) <= 1


def test_brackets_are_looked_for_no_deeper_than_a_few() -> None:
    few = "(" * 20 + "a" + ")" * 20
    assert [kind for _, kind in spans(few)].count("open") == 8


def test_a_row_of_digits_is_not_tried_in_all_its_parts() -> None:
    """The first of them would take years."""
    found = [marked(text).copying(set()).spans for text in (f"+{'1' * 60}a", f"+49 {'1' * 60}a")]
    assert found == [[], [Span(0, 3, "+49", "read")]]


def test_a_number_with_a_plus_ends_where_a_word_does() -> None:
    calls = ("+49 30a", "+49 30 12a", "+12345 6", "+1 2 3 4 5 6 7 8 9 10 11", "+49(0)30(1)", "+1a")
    said = [[one.says for one in marked(text).copying(set()).spans] for text in calls]
    assert said == [["+49"], ["+49 30"], ["+12345 6"], ["+1 2 3 4 5 6 7 8 9", "10", "11"], ["+49(0)30(1)"], []]
