"""Requests come as a Poisson process does, the same for the same seed, whatever is answered."""

from __future__ import annotations

import numpy as np

from bench.load.schedule import poisson


def test_a_seed_gives_the_same_arrivals_and_inputs_again() -> None:
    one, again, other = poisson(50, 20, 7, 1), poisson(50, 20, 7, 1), poisson(50, 20, 7, 2)
    assert np.array_equal(one.at, again.at) and np.array_equal(one.which, again.which)
    assert not np.array_equal(one.at[:10], other.at[:10])


def test_gaps_are_exponential_and_the_rate_is_the_one_asked_for() -> None:
    at = poisson(100, 200, 3, 5).at
    gaps = np.diff(at, prepend=0)
    assert np.all(gaps > 0) and at[-1] < 200
    assert abs(len(at) / 200 - 100) < 3  # four standard deviations of a Poisson count are 2.8 a second
    assert abs(gaps.std() / gaps.mean() - 1) < 0.05  # evenly spaced requests would give 0
    assert abs(np.mean(gaps < gaps.mean()) - (1 - np.exp(-1))) < 0.02


def test_every_input_gets_its_turn_at_random() -> None:
    counts = np.bincount(poisson(100, 100, 4, 3).which, minlength=4)
    assert counts.min() > 0.85 * counts.max()
