"""The keys as they are now: the file is read again when it changes, so that a revoked key is refused within a second.

Knows nothing of HTTP. A file that has become unreadable changes nothing: the keys of before go on, and the log says
so, because a slip of an editor should lock nobody out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from service.keys.file import BadKeys, read
from service.keys.key import Key, same, split

EVERY = 1.0  # seconds between two looks at the file
log = logging.getLogger("heed.keys")
Stamp = tuple[int, int, int]


class KeyRing:
    """Looks keys up. `clock` counts seconds and never goes back."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Read the file.

        Raises:
            BadKeys: it cannot be read.
        """
        self.path, self.clock = path, clock
        self.looked, self.stamp = clock(), _stamp(path)
        self.keys = {one.id: one for one in read(path)}

    def find(self, shown: str) -> Key | None:
        """The key that this is, whatever it may open; None if there is none."""
        self._renew()
        parts = split(shown)
        if parts is None:
            return None
        kept = self.keys.get(parts[0])
        return kept if same(kept, parts[1]) else None

    def _renew(self) -> None:
        if self.clock() - self.looked < EVERY:
            return
        self.looked = self.clock()
        stamp = _stamp(self.path)
        if stamp == self.stamp:
            return
        self.stamp = stamp
        try:
            self.keys = {one.id: one for one in read(self.path)}
            log.info("keys read again: %d", len(self.keys))
        except BadKeys as broken:
            log.error("keys as before (%d): %s", len(self.keys), broken)


def _stamp(path: Path) -> Stamp | None:
    """What differs when a file was replaced or written."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
