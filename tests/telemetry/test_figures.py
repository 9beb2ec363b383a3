"""What a loop counts comes to lie where its name says."""

from __future__ import annotations

import numpy as np
import pytest

from service.telemetry.figures import (
    COUNTERS,
    HISTOGRAMS,
    LEVELS,
    SIZE,
    Distribution,
    Figures,
    Tally,
    counter,
    histogram,
    quantile,
)


def test_a_value_on_a_bound_lies_below_it_and_the_largest_beyond_all() -> None:
    one = Distribution((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 99.0):
        one.note(value)
    assert one.buckets == [2, 2, 1]
    assert one.total == 104


def test_each_name_finds_its_own_counts() -> None:
    tally = Tally()
    for number, one in enumerate((tally.steps, tally.rows, tally.queued, tally.first), 1):
        for _ in range(number):
            one.note(1e6)
    tally.tokens, tally.cancelled = 7, 8
    counts, levels = tally.figures(queue_depth=9, seated=10)
    assert counts.shape == (SIZE,)
    for number, name in enumerate(HISTOGRAMS, 1):
        buckets, total = histogram(counts, name)
        assert buckets.tolist() == [0] * len(HISTOGRAMS[name]) + [number]
        assert total == number * 1e6
    assert [counter(counts, name) for name in COUNTERS] == [7, 8]
    assert dict(zip(LEVELS, levels.tolist(), strict=True)) == {"queue_depth": 9, "seated_sequences": 10}


def test_figures_that_were_taken_do_not_change_any_more() -> None:
    tally = Tally()
    before = tally.figures(0, 0)
    tally.steps.note(0.001)
    assert isinstance(before, Figures)
    assert not before.counts.any()


@pytest.mark.parametrize(
    ("buckets", "share", "value"),
    [([0, 9, 0], 0.5, 1.5), ([9, 9, 0], 0.5, 1.0), ([9, 0, 0], 0.5, 0.5), ([0, 0, 4], 1, 2.0), ([0, 0, 0], 1, None)],
)
def test_a_quantile_lies_within_its_bucket(buckets, share, value) -> None:
    assert quantile((1.0, 2.0), np.array(buckets), share) == value
