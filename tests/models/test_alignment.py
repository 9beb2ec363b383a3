"""From rows to links, and from links to an error, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.text import Vocabulary, train_vocabulary
from models.alignment import error_rate, links, membership, spans
from models.grammar import Aligned, sentences


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    lines = [text for pair in sentences("en", "de", 9, 200) for text in pair.texts()]
    return Vocabulary(train_vocabulary(lines, tmp_path_factory.mktemp("v") / "v", 120))


def gold_rows(pair: Aligned, vocabulary: Vocabulary) -> np.ndarray:
    """Rows (T + 1, S + 1) that look where the gold says; commas and the end look at the end."""
    source, target = pair.texts()
    into = membership(vocabulary.pieces(source), spans(pair.source, source))
    of = membership(vocabulary.pieces(target), spans(pair.target, target))
    wanted = np.zeros((len(pair.target), len(pair.source)))
    for i, j in pair.links:
        wanted[j, i] = 1
    rows = np.zeros((of.shape[1] + 1, into.shape[1] + 1))
    rows[:-1, :-1] = of.T @ wanted @ into
    rows[:, -1] = 1 - np.minimum(1, rows[:, :-1].sum(1))
    return rows


def test_rows_that_look_where_the_gold_says_make_no_error(vocabulary: Vocabulary) -> None:
    pairs = sentences("en", "de", 10, 50)
    found = [(links(gold_rows(pair, vocabulary), pair, vocabulary), pair.links) for pair in pairs]
    assert error_rate(found) == 0


def test_rows_that_look_to_the_front_make_many(vocabulary: Vocabulary) -> None:
    pair = sentences("en", "de", 11, 1)[0]
    rows = np.roll(gold_rows(pair, vocabulary), 1, axis=1)
    assert error_rate([(links(rows, pair, vocabulary), pair.links)]) > 0.25


def test_a_word_that_looks_at_the_end_has_no_link() -> None:
    class Letters(Vocabulary):
        def __init__(self) -> None:
            pass

        def pieces(self, text: str):
            from bundle.text import Piece

            return [Piece(4, word, at, at + 1, True) for at, word in enumerate(text) if word != " "]

    pair = Aligned(["a", "b"], ["x", "y"], frozenset())
    rows = np.array([[0.2, 0.5, 0.3], [0.3, 0.1, 0.6], [0.0, 0.0, 1.0]])
    assert links(rows, pair, Letters()) == {(1, 0)}


def test_the_error_rate_by_hand() -> None:
    found, gold = frozenset({(0, 0), (1, 1), (2, 1)}), frozenset({(0, 0), (1, 1), (2, 2), (3, 3)})
    assert error_rate([(found, gold)]) == pytest.approx(1 - 2 * 2 / 7)
