"""What steps leave for the steps after them: the keys and values of a Transformer's own attention.

Knows nothing of sessions. The rows of a guest share one table and nothing in it is ever moved when beams cross: row w
of step t has entry t * W + w, for good, and `ancestors` says which entries a hypothesis may look at. (The usual way,
gathering every layer's cache by back-pointer, copies all of it at every step.)

Axes: G guests seated (of `capacity`), N heads, T steps there is room for, W rows a guest, P = T * W entries, d width.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

FIRST = 16  # steps that there is room for at first; doubled when full, halved when three quarters are empty


class Caches:
    """One table (capacity, N, P, d) for each cache tensor of a model."""

    def __init__(self, shapes: Mapping[str, tuple[int, int]], capacity: int, width: int) -> None:
        """shapes: name to (N, d)."""
        self.capacity, self.width, self.room = capacity, width, FIRST
        self.tables = {
            name: np.zeros((capacity, heads, FIRST * width, size), np.float32) for name, (heads, size) in shapes.items()
        }

    def ancestors(self, paths: np.ndarray) -> np.ndarray:
        """Paths (G, W, at least T) -> which entries (G, W, P) each row's hypothesis came through."""
        guests = len(paths)
        hit: np.ndarray = paths[:, :, : self.room, None] == np.arange(self.width, dtype=paths.dtype)
        return hit.reshape(guests, self.width, self.room * self.width)

    def write(self, name: str, steps: np.ndarray, entries: np.ndarray) -> None:
        """Note what each guest's own step (G,) left: (G, N, W, d)."""
        guests, heads, width, size = entries.shape
        table = self.tables[name].reshape(self.capacity * heads * self.room, width * size)
        places = (np.arange(guests)[:, None] * heads + np.arange(heads)) * self.room + steps[:, None]
        table[places.ravel()] = entries.reshape(guests * heads, width * size)

    def fit(self, longest: int, guests: int) -> None:
        """Make room for step `longest`, keeping the entries of the first `guests` places."""
        room = self.room
        while longest >= room:
            room *= 2
        while room > FIRST and longest < room // 4:
            room //= 2
        if room == self.room:
            return
        kept = min(room, self.room) * self.width
        for name, old in self.tables.items():
            fresh = np.zeros((self.capacity, old.shape[1], room * self.width, old.shape[3]), old.dtype)
            fresh[:guests, :, :kept] = old[:guests, :, :kept]
            self.tables[name] = fresh
        self.room = room

    def move(self, source: int, target: int, steps: int) -> None:
        """Move a guest's first `steps` steps to another place."""
        for table in self.tables.values():
            table[target, :, : steps * self.width] = table[source, :, : steps * self.width]
