"""HTML as tokens: where tags, comments and declarations end, whatever a text is."""

from __future__ import annotations

import random

import pytest

from service.markup.html import runs
from service.markup.reader import UNCLOSED, spelled, tokens

PARTS = (
    *("<b>", "</b>", "<p", "</", "<", ">", "<!", "<![", "<![CDATA[", "]]>", "]>", "<!--", "-->", "--!>", "<?", "?>"),
    *("<script>", "</script", "<svg>", "</svg>", "<code/>", " translate='no'", ' class="notranslate', "/>", "&#", "&"),
    *("'", '"', "=", "/", " ", "\n", "\0", "-", "a", "dog", "&amp;", "\xa0", "é", "<a b='>'", "<li>", "</b ", "<br>"),
)


def told(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in tokens(text)]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a<!-- > -- > b -->c", "<!-- > -- > b -->"),
        ("a<!-->c", "<!-->"),
        ("a<!--->c", "<!--->"),
        ("a<!--b--!>c", "<!--b--!>"),
        ("a<![foo] b>c", "<![foo] b>"),
        ("a<![if !mso]>c", "<![if !mso]>"),
        ("a<![endif]-->c", "<![endif]-->"),
        ("a<![CDATA[x > y]]>c", "<![CDATA[x > y]]>"),
        ("a<![CDATA[x>c", "<![CDATA[x>"),
        ("a<!DOCTYPE html [x>c", "<!DOCTYPE html [x>"),
        ("a<?php x ?>c", "<?php x ?>"),
        ("a</ b>c", "</ b>"),
        ("a<p x='>' y=\">\" z=a'b>c", "<p x='>' y=\">\" z=a'b>"),
        ("a<p x = '>'y='>'>c", "<p x = '>'y='>'>"),
        ("a<P/>c", "<P/>"),
        ("a</P\nx>c", "</P\nx>"),
    ],
)
def test_what_is_no_text_ends_where_browsers_end_it(text: str, kept: str) -> None:
    assert told(text) == [("text", "a"), ("end", kept), ("text", "c")]


def test_no_tags_are_in_a_script_and_an_element_that_is_kept_is_one_token() -> None:
    assert told("<script>'<b>' </scripts></SCRIPT >a") == [("end", "<script>'<b>' </scripts></SCRIPT >"), ("text", "a")]
    assert told("<script></scripts <p</script>a") == [("end", "<script></scripts <p</script>"), ("text", "a")]
    assert told("<code><code/>a<code>b</code>c</code>d") == [
        ("name", "<code><code/>a<code>b</code>c</code>"),
        ("text", "d"),
    ]
    assert told("<b translate=NO title='>'>a</b>") == [("name", "<b translate=NO title='>'>a</b>")]
    assert told("<b class='x &#110;otranslate'>a</b>") == [("name", "<b class='x &#110;otranslate'>a</b>")]


def test_what_begins_as_a_tag_and_never_ends_is_text() -> None:
    assert told("if a <b and c & d") == [("text", "if a <b and c & d")]
    assert told("&# <b>a</b> <!-- b") == [
        ("text", "&# "), ("open", "<b>"), ("text", "a"), ("close", "</b>"), ("text", " <!-- b"),
    ]  # fmt: skip


@pytest.mark.parametrize("unit", ["<a b='", "<a b='>'", "<a/b=", "<a ", "<a", "<!--", "<?", "</a", "<![CDATA["])
def test_after_many_that_never_end_the_rest_stays_as_it_is(unit: str) -> None:
    text = "a dog " + unit * (200_000 // len(unit))
    last = tokens(text)[-1]
    assert (last.kind, last.end) == ("end", len(text))
    assert last.start <= 6 + len(unit) * (2 * UNCLOSED + 2)


def test_any_text_is_read_from_its_beginning_to_its_end() -> None:
    choose = random.Random(1)  # noqa: S311
    for _ in range(2000):
        text = "".join(choose.choice(PARTS) for _ in range(choose.randint(0, 12)))
        found = tokens(text)
        assert [one.start for one in found] == [0, *(one.end for one in found)][: len(found)], text
        assert "".join(says for _, says in told(text)) == text
        runs(text)


def test_numbers_of_characters_that_nobody_has_are_read_too() -> None:
    assert spelled("&#0000000065;&#x41; &amp;") == "AA &"
    assert spelled(f"&#{'1' * 9000};") == "\ufffd"
    assert [(run.start, run.end) for run in runs(f"a dog &#{'1' * 9000};")] == [(0, 9009)]
