"""Samples to one point of a latency-against-load curve, and which load is the highest that is still answered in time.

Pure: no clock, no socket.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bench.load.drive import LOST, Sample

OK = range(200, 300)
SLOWEST, MOST_POINTS = 0.1, 20  # where a search gives up: requests a second, points
MOST_REFUSED = 0.01  # a server that turns away more than this does not carry the load
LEAST_KEPT = 0.9  # nor does one that answers less than this share of what comes while it comes


class Point(NamedTuple):
    """What came of one load; milliseconds count from the schedule, over requests answered with success."""

    offered: float  # requests a second
    achieved: float  # successes a second, of those that ended while requests came
    p50: float
    p95: float
    p99: float
    longest: float
    requests: int
    refused: dict[int, int]  # by status; 0: no whole answer
    size: float  # bytes of an answer, on average
    waited: float  # share of the requests that found every connection taken
    lag: float  # ms that the generator itself was late, 95th percentile, where a connection was free
    client: float  # CPU ms of the generator a request

    def holds(self, bound: float) -> bool:
        """Whether the load was carried: 95 % answered within `bound` ms, hardly any refused, no growing queue."""
        refused = sum(self.refused.values())
        kept = self.achieved >= LEAST_KEPT * self.offered * (1 - refused / max(1, self.requests))
        return self.p95 <= bound and refused <= MOST_REFUSED * self.requests and kept

    def told(self) -> dict[str, Any]:
        """As JSON has it: no infinities."""
        rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in self._asdict().items()}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in rounded.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed (nearest rank); inf of none."""
    if not values:
        return math.inf
    rank = max(1, math.ceil(round(share * len(values), 9)))
    return sorted(values)[rank - 1]


def point(samples: Sequence[Sample], *, warm: float, seconds: float, client: float = 0.0) -> Point:
    """The figures of the requests scheduled from second `warm` on; `seconds` is the length of the schedule."""
    counted = [one for one in samples if one.scheduled >= warm]
    fine = [one for one in counted if one.status in OK]
    times = [1e3 * one.latency for one in fine]
    prompt = [1e3 * (one.sent - one.scheduled) for one in counted if not one.waited]
    answered = [one for one in samples if one.status in OK and warm <= one.ended <= seconds]
    return Point(
        offered=len(counted) / (seconds - warm),
        achieved=len(answered) / (seconds - warm),
        p50=percentile(times, 0.50),
        p95=percentile(times, 0.95),
        p99=percentile(times, 0.99),
        longest=max(times, default=math.inf),
        requests=len(counted),
        refused=dict(sorted(Counter(one.status for one in counted if one.status not in OK).items())),
        size=sum(one.size for one in fine) / max(1, len(fine)),
        waited=1 - len(prompt) / max(1, len(counted)),
        lag=percentile(prompt, 0.95) if prompt else 0.0,
        client=1e3 * client / max(1, len(samples)),
    )


def climb(
    measure: Callable[[float], Point], start: float, bound: float, *, closeness: float = 1.06, stride: float = 2.0
) -> list[Point]:
    """Points of ever closer rates around the highest that holds: `stride` times more or less at first, then in between.

    The list is in order of trial; `best` names the answer.
    """
    points: list[Point] = []
    low, high = 0.0, math.inf
    rate = start
    while rate > SLOWEST and len(points) < MOST_POINTS:
        found = measure(rate)
        points.append(found)
        if found.holds(bound):
            low = max(low, rate)
        else:
            high = min(high, rate)
        if low and high / low <= closeness:
            break
        rate = stride * low if math.isinf(high) else math.sqrt(low * high) if low else high / stride
    return points


def best(points: Sequence[Point], bound: float) -> Point | None:
    """The point of highest achieved rate that holds."""
    return max((one for one in points if one.holds(bound)), key=lambda one: one.achieved, default=None)


HEADINGS = f"{'offered/s':>10} {'achieved/s':>10} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'bytes':>7}  refused"


def row(one: Point) -> str:
    """A line of the table under HEADINGS."""
    refused = ", ".join(f"{count} × {status if status != LOST else 'lost'}" for status, count in one.refused.items())
    figures = f"{one.offered:>10.1f} {one.achieved:>10.1f} {one.p50:>8.0f} {one.p95:>8.0f} {one.p99:>8.0f}"
    return f"{figures} {one.size:>7.0f}  {refused or 'none'}"
