"""How fast guests leave, and so how long somebody whom a full queue refused should stay away.

Pure: no clock of its own. Only the time in which there was work counts: an idle night says nothing of the pace.
"""

from __future__ import annotations

import math
from collections import deque

LEAST, MOST = 1, 60  # seconds; nobody is told to come back at once, and nobody is sent away for good
FEWEST = 4  # that may always be inside: one long document must not keep everybody else out
RECENT = 1.0  # seconds of work that tell how many may be
GRAIN = 0.1  # seconds; departures closer than this are kept as one, so that memory is bounded


class Pace:
    """Beam rows answered a second, over the last seconds of work. Times are time.monotonic() seconds.

    One thread may write (begin, rest, leave) while others read (rate, wait).
    """

    def __init__(self, window: float = 5.0) -> None:
        self.window = window
        self.worked = 0.0  # seconds of work before `since`
        self.since: float | None = None  # when the present spell of work began
        self.departures: deque[tuple[float, int]] = deque()  # (seconds worked, rows)
        self.known = False

    def begin(self, now: float) -> None:
        """There is work, after there was none."""
        if self.since is None:
            self.since = now

    def rest(self, now: float) -> None:
        """There is none left."""
        self.worked, self.since = self._clock(now), None

    def leave(self, rows: int, now: float) -> None:
        """A guest of so many rows was answered."""
        clock, self.known = self._clock(now), True
        if self.departures and clock - self.departures[-1][0] < GRAIN:
            clock, before = self.departures.pop()
            rows += before
        self.departures.append((clock, rows))
        while self.departures[0][0] < clock - self.window:
            self.departures.popleft()

    def rate(self, now: float, window: float | None = None) -> float:
        """Rows a second; 0 if nobody left in the window."""
        clock, window = self._clock(now), window or self.window
        counted = sum(rows for when, rows in list(self.departures) if when >= clock - window)
        return counted / max(min(window, clock), GRAIN)

    def places(self, seconds: float, now: float) -> float:
        """How many may be inside if each is to leave after so many seconds (Little's law), at the pace of the last one.

        No bound until somebody has left.
        """
        return max(FEWEST, self.rate(now, RECENT) * seconds) if self.known else math.inf

    def wait(self, rows: int, now: float) -> int:
        """Whole seconds until so many waiting rows are answered."""
        rate = self.rate(now)
        if not rate:
            return MOST if self.known else LEAST
        return max(LEAST, min(MOST, math.ceil(rows / rate)))

    def _clock(self, now: float) -> float:
        """Seconds worked so far."""
        since = self.since
        return self.worked + (now - since if since is not None else 0.0)
