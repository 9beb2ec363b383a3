"""Percentiles, points and the search for the highest load, on samples made by hand."""

from __future__ import annotations

import json
import math

import pytest

from bench.load.drive import LOST, Sample
from bench.load.points import Point, best, climb, percentile, point, row


def made(rate: float, capacity: float) -> Point:
    """What a server of this capacity would give."""
    late = 100.0 if rate <= capacity else 5000.0
    return Point(rate, min(rate, capacity), late / 2, late, late, late, 100, {}, 10.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5.0], 0.95, 5.0),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 101)), 0.5, 50),
        (list(range(1, 21)), 0.95, 19),
        ([3.0, 1.0, 2.0], 0.99, 3.0),
        (list(range(1, 101)), 0.55, 55),  # 0.55 * 100 is a little more than 55 in floats
        ([], 0.5, math.inf),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values, share, expected) -> None:
    assert percentile(values, share) == expected


def test_latency_counts_from_the_schedule_and_the_warm_start_does_not_count() -> None:
    early = Sample(0.5, 0.5, 9.0, 200, 1)
    fine = [Sample(1.0 + i, 1.5 + i, 2.0 + i, 200, 100, waited=True) for i in range(4)]
    refused = [Sample(2.0, 2.0, 2.1, 429, 5), Sample(3.0, 3.0, 3.1, LOST, 0)]
    found = point([early, *fine, *refused], warm=1.0, seconds=5.0, client=0.014)
    assert found.p50 == found.p99 == pytest.approx(1000)  # not 500: they waited for a connection
    assert (found.requests, found.refused, found.size) == (6, {LOST: 1, 429: 1}, 100)
    assert (found.offered, found.achieved) == (1.5, 1.0)
    assert found.waited == pytest.approx(4 / 6) and found.client == pytest.approx(2)
    assert "1 × lost" in row(found)


def test_the_rate_achieved_is_that_of_answers_while_requests_came() -> None:
    steady = [Sample(float(i), float(i), i + 3.0, 200, 1) for i in range(20)]
    assert point(steady, warm=5.0, seconds=20.0).achieved == pytest.approx(
        16 / 15
    )  # neither early nor late ones bend it
    late = [Sample(float(i), float(i), 30.0, 200, 1) for i in range(20)]
    assert point(late, warm=5.0, seconds=20.0).achieved == 0


def test_a_load_holds_only_if_it_is_answered_in_time_without_refusals_and_kept_up_with() -> None:
    fine = made(10, 20)
    assert fine.holds(100) and not fine.holds(99)
    assert not fine._replace(refused={429: 2}).holds(100)
    assert fine._replace(refused={429: 1}).holds(100)
    assert not fine._replace(achieved=8.0).holds(100)


def test_a_point_without_answers_is_json_all_the_same() -> None:
    empty = point([Sample(1.0, 1.0, 2.0, 500, 0)], warm=0.0, seconds=2.0)
    assert json.loads(json.dumps(empty.told(), allow_nan=False))["p95"] is None


@pytest.mark.parametrize("start", [3.0, 40.0, 900.0])
def test_the_highest_load_is_found_from_below_and_from_above(start) -> None:
    points = climb(lambda rate: made(rate, 47.0), start, 500)
    found = best(points, 500)
    assert found is not None and 47 / 1.06 <= found.achieved <= 47
    assert len(points) < 15


def test_a_server_that_carries_nothing_ends_the_search() -> None:
    points = climb(lambda rate: made(rate, 0.0), 8, 500)
    assert best(points, 500) is None and len(points) < 10
