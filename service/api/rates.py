"""How much anybody may ask for in a time: requests and beam rows, by key or by address, counted by `limits`.

Knows nothing of keys' files and of HTTP. Counts are in this process, or in a Redis that several share; where that does
not answer, each counts by itself, because a service without limits for a minute is better than none. An address is
counted under a number out of 65,536, so that the counts of a million addresses do not fill the memory: two may share
one, rarely. An IPv6 address stands for its /64, which is what one customer has.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from service.errors import RateLimited

log = logging.getLogger("heed.rates")
AWAY = 5.0  # seconds in which a shared count that did not answer is not asked again
MEMORY = "memory://"
PATIENCE = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}  # seconds: requests wait for it


class Standing(NamedTuple):
    """How it stands with the limit that is nearest: what the headers RateLimit-Policy and RateLimit tell."""

    quota: int
    window: int  # seconds
    left: int
    reset: int  # seconds


@dataclass(frozen=True)
class Allowance:
    """Limits as `limits` writes them; None is no limit."""

    requests: str | None = None
    rows: str | None = None


class Rates:
    """Counts what is asked for. Allowances are given at each call: keys have their own."""

    def __init__(self, storage: str = MEMORY) -> None:
        """storage: memory://, or redis://HOST:PORT for several processes."""
        self.here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self.shared = self.here if storage == MEMORY else SlidingWindowCounterRateLimiter(_shared(storage))
        self.back = 0.0  # time.monotonic() from which the shared count is tried again
        self.parsed: dict[str, Sequence[RateLimitItem]] = {}

    async def spend(self, who: str, what: str, limit: str | None, cost: int = 1) -> Standing | None:
        """Count it; how it stands then, None where there is no limit.

        Raises:
            RateLimited: it is too much; nothing was counted that could keep them from asking for less.
        """
        if limit is None:
            return None
        if time.monotonic() < self.back:
            return await self._spend(self.here, who, what, limit, cost)
        try:
            return await self._spend(self.shared, who, what, limit, cost)
        except StorageError as lost:
            self.back = time.monotonic() + AWAY
            log.error("limits are counted by this process alone: %s", type(lost.storage_error).__name__)
            return await self._spend(self.here, who, what, limit, cost)

    async def _spend(
        self, counting: SlidingWindowCounterRateLimiter, who: str, what: str, limit: str, cost: int
    ) -> Standing:
        nearest: Standing | None = None
        for item in self._items(limit):
            passed = await counting.hit(item, "heed", what, who, cost=cost)
            stats = await counting.get_window_stats(item, "heed", what, who)
            reset = max(1, math.ceil(stats.reset_time - time.time()))
            if not passed:
                wait = min(item.get_expiry(), max(reset, 1))
                detail = f"At most {item.amount} {what} in {item.get_expiry()} s."
                raise RateLimited(detail, limit=item.amount, retry_after=wait)
            standing = Standing(item.amount, item.get_expiry(), stats.remaining, reset)
            if nearest is None or standing.left / standing.quota < nearest.left / nearest.quota:
                nearest = standing
        assert nearest is not None  # noqa: S101  parse_many finds one or raises
        return nearest

    def _items(self, limit: str) -> Sequence[RateLimitItem]:
        if limit not in self.parsed:
            self.parsed[limit] = sorted(parse_many(limit))
        return self.parsed[limit]


def _shared(storage: str) -> Storage:
    """A Redis, by the client that `limits[redis]` brings."""
    made = storage_from_string(f"async+{storage}", implementation="redispy", wrap_exceptions=True, **PATIENCE)
    assert isinstance(made, Storage)  # noqa: S101  the scheme says so
    return made


def bucket(address: str) -> str:
    """The number under which an address is counted; what is no address is a number too."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "address-none"
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)).network_address
    return "address-" + hashlib.blake2b(found.packed, digest_size=2).hexdigest()
