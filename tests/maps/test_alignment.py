"""Hard alignments in two notations. Knows nothing of drawing."""

from __future__ import annotations

import numpy as np
import pytest

from service.maps.alignment import align, links
from service.maps.words import Answer, text_map
from tests.maps.examples import cut, looking_at, translation


def aligned(*rows: list[float]):
    source, answer = "a red car", "ein rotes Auto da so"
    said = Answer(answer, cut(answer, "_ein", "_rotes", "_Auto", "_da", "_so"))
    return text_map(source, cut(source, "_a", "_red", "_car"), said, np.array(rows, np.float32))


def test_each_word_is_linked_to_the_source_word_it_looked_at_most():
    assert links(translation()) == [(1, 0), (2, 1)]


def test_both_notations_put_the_source_first_and_ranges_include_their_last_character():
    found = align(translation())
    assert found.pharaoh == "1-0 2-1"
    assert found.proj == "4:9-0:5 11:14-7:13"


def test_links_are_sorted_by_source_and_a_word_that_looked_at_the_end_has_none():
    map_ = aligned([0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0.1, 0.2, 0.2, 0.5], [0, 1, 0, 0])
    assert align(map_).pharaoh == "0-1 1-4 2-0 2-2"


def test_nothing_linked_is_an_empty_text():
    assert align(aligned(*[[0.1, 0.2, 0.2, 0.5]] * 5)).proj == ""


def test_a_picture_has_no_alignment():
    map_ = looking_at(0, 0, (60, 40), (0, 0, 60, 40)).map
    assert map_ is not None
    with pytest.raises(ValueError, match="text"):
        align(map_)
