"""Offsets in three units. Knows nothing of weights."""

from __future__ import annotations

import numpy as np
import pytest

from service.maps.envelope import AttentionMap, OffsetUnit, TextKeys
from service.maps.offsets import counted, places
from service.maps.words import Answer, text_map
from tests.maps.examples import cut, looking_at

SOURCE, ANSWER = "😀 über", "süß 👩‍🚒 ja"


def emoji_map() -> AttentionMap:
    pieces = cut(SOURCE, "_😀", "_über")
    return text_map(SOURCE, pieces, Answer(ANSWER, cut(ANSWER, "_süß", "_👩‍🚒", "_ja")), np.full((3, 3), 1 / 3))


@pytest.mark.parametrize(
    ("unit", "answer", "source"),
    [
        ("codepoint", [(0, 3), (4, 7), (8, 10)], [(0, 1), (2, 6), (6, 6)]),
        ("utf16", [(0, 3), (4, 9), (10, 12)], [(0, 2), (3, 7), (7, 7)]),
        ("utf8", [(0, 5), (6, 17), (18, 20)], [(0, 4), (5, 10), (10, 10)]),
    ],
)
def test_both_sides_are_counted_in_the_unit_asked_for(
    unit: OffsetUnit, answer: list[tuple[int, int]], source: list[tuple[int, int]]
):
    map_ = counted(emoji_map(), unit, answer=ANSWER, source=SOURCE)
    assert map_.offsets == unit
    assert [(q.start, q.end) for q in map_.queries] == answer
    assert isinstance(map_.keys, TextKeys)
    assert [(k.start, k.end) for k in map_.keys.items] == source


@pytest.mark.parametrize(("unit", "encoding", "size"), [("utf16", "utf-16-le", 2), ("utf8", "utf-8", 1)])
def test_cutting_the_encoded_text_there_gives_the_word(unit: OffsetUnit, encoding: str, size: int):
    encoded = ANSWER.encode(encoding)
    for query in counted(emoji_map(), unit, answer=ANSWER, source=SOURCE).queries:
        assert encoded[size * query.start : size * query.end].decode(encoding) == query.text


def test_half_a_surrogate_pair_is_counted_and_not_an_error():
    assert places("a\ud83db", "utf8") == [0, 1, 4, 5]


def test_a_pictures_map_needs_no_source():
    map_ = looking_at(0, 0, (60, 40), (0, 0, 60, 40)).map
    assert map_ is not None
    assert counted(map_, "utf8", answer="dog").keys == map_.keys


def test_a_map_is_not_counted_twice():
    map_ = counted(emoji_map(), "utf8", answer=ANSWER, source=SOURCE)
    with pytest.raises(ValueError, match="already"):
        counted(map_, "utf16", answer=ANSWER, source=SOURCE)
