"""What counts as a placeholder or a term, and what does not."""

from __future__ import annotations

import pytest

from bench.markup.strings import KINDS
from service.markup.placeholders import Span, apart, placeholders, terms


def found(text: str) -> list[str]:
    return [span.says for span in placeholders(text)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_found_whole_wherever_it_stands(kind: str) -> None:
    assert (found(kind), found(f"Take {kind} now"), found(f"({kind}).")) == ([kind], [kind], [kind])


@pytest.mark.parametrize(
    "text",
    ["100% sure", "50 %, 20%.", "zu 100%ig", "a < b and c > d", "AT&T; no", "I <3 you", "{ not this one }", "a@b"],
)
def test_what_people_write_is_no_placeholder(text: str) -> None:
    assert found(text) == []


def test_an_address_ends_before_the_mark_behind_it() -> None:
    assert found("See https://a.example/b?c=1, (www.b.example) and me@c.example.") == [
        "https://a.example/b?c=1",
        "www.b.example",
        "me@c.example",
    ]


def test_a_tag_with_its_end_is_a_tag_and_one_without_is_a_placeholder() -> None:
    kinds = {span.says: span.kind for span in placeholders("<b>a <i>b</i></b> <file> <br/>")}
    assert kinds == {
        "<b>": "open", "<i>": "open", "</i>": "close", "</b>": "close", "<file>": "name", "<br/>": "point",
    }  # fmt: skip


def test_tags_that_cross_are_not_taken_for_a_tree() -> None:
    assert [span.kind for span in placeholders("<b>a <i>b</b> c</i>")] == ["open", "name", "close", "name"]


def test_terms_are_whole_words_the_longest_first_in_any_letters_unless_they_have_capitals() -> None:
    said = [(span.says, span.kind) for span in terms("Map maps IT it. Attention map!", GLOSSARY)]
    assert said == [("Karte", "read"), ("EDV", "read"), ("Aufmerksamkeit", "read")]


GLOSSARY = {"map": "Karte", "attention map": "Aufmerksamkeit", "IT": "EDV"}


def test_where_spans_meet_the_earlier_list_wins() -> None:
    first, second = Span(2, 5, "a"), Span(4, 8, "b")
    assert apart([first], [second, Span(0, 2, "c")]) == [Span(0, 2, "c"), first]
