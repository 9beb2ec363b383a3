"""A translation's map through a caption's: pieces are matched by their characters, ends by their meaning."""

from __future__ import annotations

import numpy as np

from bundle.text import Piece
from service.maps.product import product
from tests.maps.examples import cut, ending

CAPTION = "two dogs"
SAID = [*cut(CAPTION, "_two", "_dog", "s"), ending(CAPTION)]  # as the captioner cut it
READ = cut(CAPTION, "_tw", "o", "_dogs")  # as the translator cuts it
THROUGH = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 0.5]], np.float32)  # two, dog, s, the end


def test_a_word_looks_where_the_words_looked_that_it_came_from() -> None:
    rows = np.array([[0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], np.float32)  # tw o dogs </s>
    found = product(rows, READ, THROUGH, SAID)
    wanted = np.array([[1, 0, 0], [0, 0.75, 0.25], [0.5, 0, 0.5]])  # dog has 3 of 4 letters
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_rows_still_sum_to_one_whatever_the_pieces() -> None:
    random = np.random.default_rng(1)
    rows = random.dirichlet(np.ones(4), 5).astype(np.float32)
    through = random.dirichlet(np.ones(6), 4).astype(np.float32)
    blank = Piece(9, "", 3, 3, True)
    for read in (READ, [blank, *READ[1:]]):
        np.testing.assert_allclose(product(rows, read, through, SAID).sum(1), 1, atol=1e-6)


def test_a_caption_that_was_cut_short_has_no_end_to_look_at_and_all_of_it_stands_for_it() -> None:
    rows = np.array([[0, 0, 0, 1]], np.float32)
    np.testing.assert_allclose(product(rows, READ, THROUGH[:3], SAID[:3]), [[1 / 3, 1 / 3, 1 / 3]], atol=1e-6)
