"""Whether confidence goes with quality is counted by ranks, ties included."""

from __future__ import annotations

import pytest

from bundle.manifest import Bundle
from export.confidence import correlation, measure, ranked
from service.engine.session import Session


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranked([3.0, 1.0, 3.0, 7.0]).tolist() == [2.5, 1.0, 2.5, 4.0]


def test_only_the_order_counts() -> None:
    assert correlation([1, 2, 3, 4], [1, 10, 100, 1000]) == 1
    assert correlation([1, 2, 3, 4], [9, 8, 7, 1]) == -1
    assert correlation([1, 2, 3, 4], [1, 2, 2, 1]) == 0


def test_a_perfect_echo_has_a_perfect_chrf(echo: Session, toys) -> None:
    texts = ["the old house", "a red ball", "two children play", "dark white"]
    with pytest.warns(RuntimeWarning):  # numpy's, where all are alike: there is no order
        found = measure(echo, Bundle(toys / "toy-echo"), texts, texts)
    assert found["chrF, least sure quarter"] == found["chrF, surest quarter"] == 100
