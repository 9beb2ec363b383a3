"""Entropy of maps whose answer is known."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from service.telemetry.entropy import entropy


def test_one_place_is_nothing_and_everywhere_alike_is_one() -> None:
    assert entropy(np.eye(5, dtype=np.float32)) == pytest.approx(0, abs=1e-6)
    assert entropy(np.full((3, 5), 0.2, np.float32)) == pytest.approx(1)


def test_it_is_the_mean_over_words_of_unequal_ones() -> None:
    rows = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0]], np.float32)
    assert entropy(rows) == pytest.approx((0 + log(2) / log(4)) / 2)


def test_a_map_over_one_place_says_nothing() -> None:
    assert entropy(np.ones((3, 1), np.float32)) == 0


@pytest.mark.parametrize("shape", [(3, 2, 4, 5), (0, 5)])
def test_what_is_not_one_map_has_none(shape) -> None:
    assert entropy(np.ones(shape, np.float32)) is None
