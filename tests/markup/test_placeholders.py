"""What counts as a placeholder or a term, and what does not."""

from __future__ import annotations

import re

import pytest

from bench.markup.strings import KINDS
from service.markup import placeholders as room
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


class Counting:
    """A pattern that counts how often it is asked."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern, self.asked = pattern, 0

    def fullmatch(self, text: str) -> re.Match[str] | None:
        self.asked += 1
        return self.pattern.fullmatch(text)


@pytest.mark.parametrize(
    "text", ["<b>" * 500 + "</i>" * 500, "<b>" * 500 + "</b>" * 500, "<i>" + "<b>" * 998 + "</i>", "<b></i>" * 500]
)
def test_a_name_is_read_once_however_many_tags_are_open(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(room.TAG)
    monkeypatch.setattr(room, "TAG", counting)
    placeholders(text)
    assert counting.asked == 1000


def test_a_comment_without_an_end_is_none_and_what_is_in_it_is_found() -> None:
    assert found("<!-- {a} --> <!--x@y.zz <!-- {b} --> <!-- {c}") == ["<!-- {a} -->", "<!--x@y.zz <!-- {b} -->", "{c}"]
    assert found("<!--> {a}--><!---->") == ["<!--> {a}-->", "<!---->"]
    assert found("{{ <!-- }} -->") == ["{{ <!-- }}"]


@pytest.mark.parametrize(
    "text",
    [
        "<!--" * 50_000,
        "<!-- -->" + "<!--" * 50_000,
        f"%{'0' * 100_000}!",
        f"%(a){'0' * 100_000}!",
        f"%1${'0' * 100_000}!",
    ],
)
def test_a_text_made_to_be_read_again_and_again_is_read_once(text: str) -> None:
    """Some of these took minutes, or did not end."""
    assert all(text[one.start : one.end] == one.says for one in placeholders(text))


def test_a_term_is_known_in_any_writing_of_its_letters() -> None:
    said = [(one.start, one.says) for one in terms("İ ſtrasse STRASSE µ Straſſe", {"strasse": "Weg", "μ": "m"})]
    assert said == [(2, "Weg"), (10, "Weg"), (18, "m"), (20, "Weg")]


def test_of_terms_that_begin_alike_the_longest_that_ends_with_a_word_is_meant() -> None:
    glossary = {"a": "1", "a b": "2", "a b c": "3", "a bc": "4", "C+": "5", "A B": "6"}
    said = [(one.start, one.says) for one in terms("a b cd a bc a bcd A B x C+ C+x C++", glossary)]
    assert said == [(0, "2"), (7, "4"), (12, "1"), (18, "6"), (24, "5"), (31, "5")]


def test_a_large_glossary_is_not_gone_through_for_every_word() -> None:
    glossary = {("a " * 99 + f"b{i}")[-200:]: "x" for i in range(1000)}
    assert terms("a " * 100_000, glossary) == []
