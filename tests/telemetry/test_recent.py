"""How a model fared over the last minute."""

from __future__ import annotations

import numpy as np
import pytest

from service.telemetry.figures import Figures, Tally, Vitals
from service.telemetry.recent import EVERY, MOST, Recent


def vitals(tally: Tally) -> Vitals:
    counts, levels = Tally().figures(0, 0)
    return Vitals({("m", "cpu"): tally.figures(0, 0), ("other", "cpu"): Figures(counts + 99, levels)})


def test_only_what_came_since_the_oldest_mark_counts() -> None:
    recent, tally = Recent(), Tally()
    tally.tokens = 1000
    recent.mark(vitals(tally), {"m": 50}, now=10.0)
    tally.tokens += 30
    tally.rows.note(5)
    tally.rows.note(15)
    for _ in range(100):
        tally.steps.note(0.0015)
    found = recent.lately("m", vitals(tally), {"m": 53, "other": 9}, now=12.0)
    assert (found.seconds, found.requests, found.tokens, found.rows_a_step) == (2.0, 3, 30, 10)
    assert found.quantiles["step_duration"]["p50"] == pytest.approx(0.0015)
    assert found.quantiles["queue_wait"] == {"p50": None, "p95": None, "p99": None}


def test_an_hour_leaves_a_minute_of_marks() -> None:
    recent, tally = Recent(), Tally()
    for number in range(720):
        tally.tokens += 1
        recent.mark(vitals(tally), {}, now=number * EVERY)
    assert len(recent.marks) == MOST
    assert recent.lately("m", vitals(tally), {}, now=719 * EVERY).seconds == 60.0


def test_before_the_first_mark_there_is_nothing_to_tell() -> None:
    found = Recent().lately("m", Vitals({("m", "cpu"): Tally().figures(0, 0)}), {}, now=5.0)
    assert (found.seconds, found.requests, found.tokens, found.rows_a_step) == (0.0, 0, 0, None)
    assert np.isfinite(found.tokens)
