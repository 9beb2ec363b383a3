"""What steps leave for the steps after them: the keys and values of a Transformer's own attention.

Knows nothing of sessions. Where a cache is a request's, the rows of a guest share one table, and nothing in it is moved
when beams cross: a new entry takes a free place, `ancestors` says which entries each row's hypothesis came through, and
an entry that no hypothesis came through is free again. Every graph can do that; a row's own cache
(`service/engine/row_caches.py`) needs a node that knows how long each row is.

Axes: G guests seated (of `capacity`), N heads, W rows a guest, P entries a guest, d width.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from service.engine.layout import Layout
from service.engine.row_caches import RowCaches
from service.engine.search import Choice

STRIDE = 16  # entries are a multiple of this


def caches_for(layout: Layout, capacity: int, width: int) -> Caches | RowCaches:
    """The caches of a table of so many guests of so many rows each; without tables for a model that has none."""
    return (RowCaches if layout.of_rows else Caches)(layout.caches or {}, capacity, width)


class Caches:
    """One table (capacity, N, P, d) for each cache tensor of a model."""

    def __init__(self, shapes: Mapping[str, tuple[int, int]], capacity: int, width: int) -> None:
        """shapes: name to (N, d)."""
        self.capacity, self.width, self.shapes = capacity, width, shapes
        entries = -(-width // STRIDE) * STRIDE
        self.tables = {name: self._table(name, entries) for name in shapes}
        self.ancestors = np.zeros((capacity, width, entries), bool)
        self.free = np.zeros((capacity, width), np.int64)  # where this step's entries go

    def _table(self, name: str, entries: int) -> np.ndarray:
        heads, size = self.shapes[name]
        return np.zeros((self.capacity, heads, entries, size), np.float32)

    def clear(self, start: int, end: int) -> None:
        """Forget whoever sat at these places."""
        self.ancestors[start:end] = False
        self.free[start:end] = np.arange(self.width)

    def feeds(self, guests: int) -> dict[str, np.ndarray]:
        """The step graph's inputs."""
        return {"ancestors": self.ancestors[:guests], **{name: table[:guests] for name, table in self.tables.items()}}

    def keep(self, out: Mapping[str, np.ndarray], every: int = 1) -> None:
        """Put this step's entries (G, N, W, d), by name, where there is room for them.

        Of every so many guests, all get the first one's.
        """
        places: dict[int, np.ndarray] = {}  # in a table seen as rows of d, by its number of heads
        for name in self.tables:
            values = out[f"{name}_out"]
            if every > 1:
                values = values[::every].repeat(every, 0)
            guests, heads, _, size = values.shape
            if heads not in places:
                rows = (np.arange(guests)[:, None] * heads + np.arange(heads))[:, :, None] * self.ancestors.shape[2]
                places[heads] = (rows + self.free[:guests, None, :]).ravel()
            self.tables[name].reshape(-1, size)[places[heads]] = values.reshape(-1, size)

    def settled(self, choice: Choice) -> Choice:
        """The beams as they are: it does not matter which row continues which."""
        return choice

    def turn(self, parents: np.ndarray, alive: np.ndarray) -> None:
        """Follow the beams, parents (G, W), of those rows that are alive (G, W); then find the free entries."""
        guests, places = len(parents), np.arange(len(parents))[:, None]
        turned = self.ancestors[places, parents]
        turned[places, np.arange(self.width), self.free[places, parents]] = True
        turned &= alive[:, :, None]
        self.ancestors[:guests] = turned
        live = turned.any(1)
        if int(live.sum(1).max()) + self.width > live.shape[1]:
            self._resize(live.shape[1] + STRIDE)
            live = self.ancestors[:guests].any(1)
        self.free[:guests] = np.argsort(live, axis=1, kind="stable")[:, : self.width]

    def shrink(self, guests: int) -> None:
        """Give back the last entries if nobody uses them: empty ones cost time at every step."""
        used = np.atleast_1d(self.ancestors[:guests].any((0, 1)))
        most = max(int(np.nonzero(used)[0].max(initial=0)), int(self.free[:guests].max(initial=0))) + 1
        entries = max(-(-most // STRIDE) * STRIDE, -(-self.width // STRIDE) * STRIDE) + STRIDE
        if entries < len(used):  # one stride is kept: to take it back at every step would cost more than it saves
            self._resize(entries)

    def _resize(self, entries: int) -> None:
        """Change the number of entries, keeping the first ones."""
        kept = min(entries, self.ancestors.shape[2])
        for name, old in self.tables.items():
            self.tables[name] = self._table(name, entries)
            self.tables[name][:, :, :kept] = old[:, :, :kept]
        fresh = np.zeros((self.capacity, self.width, entries), bool)
        fresh[:, :, :kept] = self.ancestors[:, :, :kept]
        self.ancestors = fresh

    def move(self, source: int, target: int) -> None:
        """Move a guest to another place."""
        for values in (*self.tables.values(), self.ancestors, self.free):
            values[target] = values[source]
