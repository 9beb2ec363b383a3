"""How long a refused guest stays away: waiting rows over rows answered a second, within bounds."""

from __future__ import annotations

import math

from service.pace import FEWEST, GRAIN, Pace


def answered(pace: Pace, rows: int, *, start: float, seconds: float, times: int) -> None:
    """So many departures, evenly over this time."""
    for i in range(1, times + 1):
        pace.leave(rows, start + i * seconds / times)


def test_the_rate_is_rows_over_seconds_of_work() -> None:
    pace = Pace()
    pace.begin(100)
    answered(pace, 5, start=100, seconds=4, times=40)
    assert pace.rate(104) == 50
    assert pace.wait(120, 104) == 3, "rounded up"


def test_only_the_last_seconds_count() -> None:
    pace = Pace(window=5)
    pace.begin(0)
    answered(pace, 100, start=0, seconds=10, times=100)
    answered(pace, 1, start=10, seconds=10, times=100)
    assert 10 <= pace.rate(20) < 11


def test_idle_time_does_not() -> None:
    pace = Pace()
    pace.begin(0)
    answered(pace, 5, start=0, seconds=2, times=20)
    pace.rest(2)
    assert pace.rate(2) == pace.rate(1000)
    pace.begin(1000)
    pace.begin(1001)  # said twice
    assert pace.rate(1002) == 100 / 4


def test_before_anything_is_known_a_guest_may_come_again_soon() -> None:
    pace = Pace()
    pace.begin(0)
    assert pace.wait(1000, 3) == 1


def test_when_everything_stands_still_a_guest_stays_away_for_a_minute() -> None:
    pace = Pace(window=5)
    pace.begin(0)
    pace.leave(5, 1)
    assert pace.wait(5, 7) == 60


def test_nobody_comes_at_once_or_never() -> None:
    pace = Pace()
    pace.begin(0)
    answered(pace, 10, start=0, seconds=1, times=10)
    assert pace.wait(1, 1) == 1
    assert pace.wait(10**9, 1) == 60


def test_memory_is_bounded_however_many_leave() -> None:
    pace = Pace(window=5)
    pace.begin(0)
    answered(pace, 1, start=0, seconds=20, times=20_000)
    assert len(pace.departures) <= 5 / GRAIN + 2
    assert 950 < pace.rate(20) < 1050


def test_so_many_may_be_inside_as_leave_in_the_time_that_is_wanted() -> None:
    pace = Pace()
    assert pace.places(0.2, 100) == math.inf, "nobody has left yet"
    pace.begin(100)
    answered(pace, 1, start=100, seconds=4, times=1000)
    answered(pace, 1, start=104, seconds=1, times=100)
    assert 19 < pace.places(0.2, 105) < 22, "the last second alone"
    assert pace.places(0.001, 105) == FEWEST
