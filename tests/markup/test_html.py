"""HTML as runs of text, and whatever a model says, as the same tree of elements."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bench.markup.pages import paths
from service.markup.html import _settled, runs
from service.markup.kept import kept
from service.markup.marked import marked
from service.markup.reader import Token, tokens
from service.messages import Hypothesis
from tests.markup.test_protect import pieces

ANSWERS = (
    "",
    ".",
    "Tom",
    "Ein Hund",
    "Boston Tom < & > Tom eins zwei",
    "eins zwei drei vier fünf Tom John Boston Mary",
)


def read(text: str) -> list[str]:
    return [kept(text[run.start : run.end], run.spans, pieces).masked.text for run in runs(text)]


@pytest.mark.parametrize(
    ("text", "runs_"),
    [
        ("<p>a <b>red</b> dog</p><p>cat</p>", ["a red dog", "cat"]),
        ("M&uuml;ller &amp; S&#246;hne&nbsp;AG", ["Müller & Söhne\xa0AG"]),
        ("a dog<br>a cat<hr>", ["a dog", "a cat"]),
        ("<b>a <p>dog</p> cat</b>", ["a", "dog", "cat"]),
        ("a <i>b <b>c</i> d</b> e", ["a", "b", "c", "d", "e"]),
        ("a <code>b < c</code> d <span translate='no'>e <b>f</b></span> g", ["a Tom d Boston g"]),
        ("<script>a('<p>b</p>')</script><style>c</style><pre>d</pre><textarea>e</textarea>", []),
        ("<div class='x notranslate'>a <p>b</p></div> c", ["c"]),
        ("<!-- a --><!DOCTYPE html><?b?> 1 &lt; 2", ["1 < 2"]),
        ("a <img alt='x'> dog", ["a  dog"]),
        ("see {name} or https://e.example/?a=1&amp;b=2 <b>now</b>", ["see Tom or Boston now"]),
        ("<ul><li>a<li>b</ul>", ["a", "b"]),
    ],
)
def test_what_is_read_of_html(text: str, runs_: list[str]) -> None:
    assert read(text) == runs_


def test_a_sentence_takes_the_tags_with_it_whose_other_halves_it_has() -> None:
    text = "<p><i><b>A</b> dog. A <u>cat.</u></i> It</p>"
    whole = marked(text, html=True)
    found = whole.sentences(lambda read: [(read.index("A"), read.index(".") + 1), (read.index("A ", 12), len(read))])
    assert [text[slice(*one)] for one in found] == ["<b>A</b> dog.", "A <u>cat.</u></i> It"]


def fragment(choose: random.Random, depth: int = 0) -> Iterator[str]:
    for _ in range(choose.randint(1, 4)):
        kind = choose.choice(["text", "text", "element", "kept", "alone"])
        if kind == "element" and depth < 3:
            tag = choose.choice(["b", "i", "u", "span", "em"])
            yield f"<{tag} id='{choose.random()}'>{''.join(fragment(choose, depth + 1))}</{tag}>"
        elif kind == "kept":
            yield f"<code id='{choose.random()}'>x &lt; y</code>"
        elif kind == "alone":
            yield f"<img id='{choose.random()}'>"
        else:
            yield choose.choice([" a dog ", "cat", " {name} ", " &amp; ", ". ", " Two men "])


def test_whatever_a_model_says_and_looks_at_the_elements_are_those_of_the_source() -> None:
    choose, draw = random.Random(1), np.random.default_rng(1)  # noqa: S311
    for _ in range(600):
        text = f"<p>{''.join(fragment(choose))}</p>"
        whole, out, last = marked(text, html=True), "", 0
        for start, end in whole.sentences(lambda read: [(0, len(read))] if read.strip() else []):
            one = kept(text[start:end], whole.within(start, end), pieces, html=True)
            answer = choose.choice(ANSWERS)
            said = pieces(answer)
            looks = draw.dirichlet([0.1] * (len(one.read) + 1), len(said)).astype(np.float32)
            rows = None if choose.random() < 0.2 else looks
            hypothesis = Hypothesis([9] * len(said), np.zeros(len(said)), 0.0, "stop", rows)
            grown, became, moved = one.said(hypothesis, answer, said, rows)
            assert len(grown.logprobs) == len(moved)
            out, last = out + text[last:start] + became, end
        out += text[last:]
        assert paths(out) == paths(text), (text, out)
        assert out.count("{name}") == text.count("{name}")


def test_an_empty_text_has_nothing_to_be_read() -> None:
    assert runs("") == []


class Counted(list[Token]):
    """Tokens that count how often one is looked at by its place."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        self.looks += 1
        return super().__getitem__(at)


@pytest.mark.parametrize(
    "text", ["<b>" * 999 + "x" + "</i>" * 999, "<i>" + "<b>" * 999 + "</i>", "<b>" * 999 + "</b>" * 999]
)
def test_a_tag_that_closes_is_not_compared_with_all_that_are_open(text: str) -> None:
    counted = Counted(tokens(text))
    _settled(counted)
    assert counted.looks < 5 * len(counted)


def test_what_is_around_the_end_of_a_run_is_broken_and_what_begins_behind_it_is_not() -> None:
    text = "<b>a <i>b <p>c <u>d</u> e</i> f</b> <b>g</b>"
    kinds = {text[one.start : one.end]: one.kind for one in _settled(tokens(text)) if one.tag != "b"}
    assert {tag: kinds[tag] for tag in ("<i>", "</i>", "<u>", "</u>")} == {
        "<i>": "end", "</i>": "end", "<u>": "open", "</u>": "close",
    }  # fmt: skip
    assert read(text) == ["a", "b", "c d e", "f", "g"]


@pytest.mark.parametrize("unit", ["<b>x</i>", "<a b='", "<!--"])
def test_a_page_of_nothing_else_is_read_in_the_end(unit: str) -> None:
    """Before they were read once, these took hours."""
    assert all(run.start < run.end for run in runs("a dog " + unit * (100_000 // len(unit))))


def test_tags_that_are_open_around_what_ends_a_run_are_not_told_of_it_again_and_again() -> None:
    found = runs("<b>" * 33_000 + "x" + "<p>" * 33_000)
    assert [(run.start, run.end, run.spans) for run in found] == [(99_000, 99_001, [])]
