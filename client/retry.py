"""Whether to try again, and when: as the server says (`Retry-After`), or a little longer each time, with jitter.

Knows nothing of clocks or sockets; who waits is told how long. Only what nobody has begun with is tried again: an
answer 429 or 503, and a connection that could not be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .errors import HeedError

AGAIN = (429, 503)


@dataclass(frozen=True)
class Retry:
    """How often and how long; `Retry(attempts=1)` never tries again."""

    attempts: int = 4  # in all
    first: float = 0.5  # seconds before the second, at most; doubled each time
    most: float = 30.0  # a longer wait is not waited: the error says `retry_after`

    def wait(self, tried: int, failure: HeedError, *, sent: bool, chance: float) -> float | None:
        """Seconds until the next attempt after `tried` failed ones; None: none. chance: 0 to 1, drawn anew each time.

        Where the server says when, all who were sent away must not come back at once: up to a quarter more is added.
        """
        if tried >= self.attempts or (sent and failure.status not in AGAIN):
            return None
        if failure.retry_after is not None:
            seconds = failure.retry_after * (1 + chance / 4)
            return seconds if failure.retry_after <= self.most else None
        return min(self.most, self.first * 2.0 ** (tried - 1)) * chance


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds of a `Retry-After` header, which is a number or a date; now: seconds since 1970."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None
