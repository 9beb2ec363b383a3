"""Marked texts: what is kept of each part of them is found without looking at all that the others keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, SupportsIndex

import pytest

from service.markup import marked as room
from service.markup.marked import Marked, marked
from service.markup.placeholders import Span, placeholders

MANY = 500


class Counted(list[Any]):
    """A list that counts what is taken out of it."""

    taken = 0

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        got = super().__getitem__(at)
        self.taken += len(got) if isinstance(at, slice) else 1
        return got


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """What a function of the room was called with."""
    calls: list[object] = []
    own: Callable[[Any], object] = getattr(room, name)

    def told(one: object) -> object:
        calls.append(one)
        return own(one)

    monkeypatch.setattr(room, name, told)
    return calls


def test_a_part_takes_what_is_in_it_and_no_more() -> None:
    spans = Counted(placeholders("{x} dog. " * MANY))
    whole = Marked("{x} dog. " * MANY, spans, [(0, 9 * MANY)])
    spans.taken = 0
    assert [whole.within(9 * i, 9 * i + 9) for i in range(MANY)] == [[Span(0, 3, "{x}")]] * MANY
    assert spans.taken < 30 * MANY


def test_where_sentences_end_each_span_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "A {x} b. " * MANY
    calls = counted(monkeypatch, "_solid")
    each = [(9 * i, 9 * i + 8) for i in range(MANY)]
    assert marked(text).sentences(lambda read: each) == each
    assert len(calls) <= 2 * MANY


def test_no_sentence_ends_within_what_is_kept() -> None:
    text = "A b. {x y. z} c. <b>D. e</b> f."
    whole = Marked(
        text, [Span(5, 13, "{x y. z}"), Span(17, 20, "<b>", "open"), Span(24, 28, "</b>", "close")], [(0, 31)]
    )
    parts = [(0, 4), (5, 10), (11, 16), (17, 22), (23, 31)]
    assert whole.sentences(lambda read: parts) == [(0, 4), (5, 16), (17, 22), (23, 31)]


def test_what_is_protected_gives_way_to_a_tag_that_it_meets(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "<b>a</b> dog. " * MANY
    calls = counted(monkeypatch, "_tag")
    found = marked(text, [(14 * i + 2, 14 * i + 5 + 7 * (i % 2)) for i in range(MANY)], html=True)
    assert {span.kind for span in found.spans} == {"open", "close"}
    assert len(calls) == 2 * MANY
    (own,) = (one for one in marked("<b>a</b> dog", [(3, 4)], html=True).spans if one.kind == "name")
    assert own == Span(3, 4, "a")
