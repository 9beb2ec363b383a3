"""What steps leave for the steps after them, a cache a row: its entries in the order in which they were said.

Knows nothing of sessions. The step graph puts each row's new entry behind those it has, in the very memory that it
reads, so a step reads no more entries than a row has. When beams cross, a hypothesis whose row is taken by another has
to be copied; so rows are handed out anew at every step (`settled`): the first that continues a row stays in it.

Axes: G guests seated (of `capacity`), W rows a guest, R rows of all, N heads, P room for entries, d width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from service.engine.search import ALIVE, Choice

LEAST = 32  # entries that there is always room for: 128 KiB a row of a net of width 128 and 4 layers
FEW = 4  # guests that there are always tables for


class RowCaches:
    """One table (places * W, N, P, d) for each cache tensor of a model, all in one array.

    There are tables for about as many guests as sit, and twice as many entries as the longest has, at most: what nobody
    needs would take memory all the same, because systems give it in pages that are larger than a row.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, int]], capacity: int, width: int) -> None:
        """shapes: name to (N, d), the same for all."""
        self.capacity, self.width, self.shapes = capacity, width, shapes
        self.said = np.zeros(capacity, np.int32)  # entries of each guest's rows
        self._make(min(FEW, capacity), LEAST)

    def _make(self, places: int, room: int) -> None:
        """Empty tables for so many guests, with room for so many entries a row."""
        (heads, size), *others = set(self.shapes.values())
        if others:
            raise ValueError("caches of rows have one shape")
        self.places, self.room = places, room
        self.all = np.zeros((len(self.shapes), places * self.width, heads, room, size), np.float32)
        self.tables = dict(zip(self.shapes, self.all, strict=True))
        self.paths = np.zeros((places * self.width, room), np.int16)  # the row that computed each entry

    def clear(self, start: int, end: int) -> None:
        """Forget whoever sat at these places, and see that there are tables for them."""
        self.said[start:end] = 0
        if end > self.places:
            self._resize(min(self.capacity, max(end, self.places * 2)), self.room)

    def feeds(self, guests: int) -> dict[str, np.ndarray]:
        """The step graph's inputs."""
        rows, said = guests * self.width, self.said[:guests]
        return {
            "entries": said.repeat(self.width),
            "most": np.array(said.max(initial=0) + 1, np.int32),
            **{name: table[:rows] for name, table in self.tables.items()},
        }

    def keep(self, out: Mapping[str, np.ndarray], every: int = 1) -> None:
        """Take in what a step gave; of every so many guests, all get the first one's new entries."""
        for name, table in self.tables.items():
            given = out[f"{name}_out"]
            if not np.may_share_memory(given, table):
                table[: len(given), :, : given.shape[2]] = given
            if every > 1:
                rows = np.arange(len(given))
                at = self.said[rows // self.width]
                first = rows - rows // self.width % every * self.width
                table[rows, :, at] = table[first, :, at]

    def settled(self, choice: Choice) -> Choice:
        """The same beams in the rows where least has to be copied: of those that continue a row, the first stays."""
        if self.width == 1:
            return choice
        guests, alive = len(choice.parents), choice.scores > ALIVE
        places = np.arange(guests)[:, None]
        continues = (choice.parents[:, :, None] == np.arange(self.width)) & alive[:, :, None]  # (G, beam, row)
        first = continues & (continues.cumsum(1) == 1)
        stays, taken = first.any(2), first.any(1)
        free = np.argsort(taken, axis=1, kind="stable")
        nth = np.maximum((~stays).cumsum(1) - 1, 0)
        row = np.where(stays, choice.parents, free[places, nth])
        order = np.empty_like(row)
        order[places, row] = np.arange(self.width)
        turned = (one[places, order] for one in (choice.scores, choice.tokens, choice.parents))
        return replace(choice, **dict(zip(("scores", "tokens", "parents"), turned, strict=True)))

    def turn(self, parents: np.ndarray, alive: np.ndarray) -> None:
        """Follow the beams, parents (G, W), of those rows that are alive (G, W), and make room for the next entry."""
        guests, rows = len(parents), parents.size
        if self.width > 1:
            self.paths[np.arange(rows), self.said[:guests].repeat(self.width)] = np.tile(np.arange(self.width), guests)
        self.said[:guests] += 1
        guest, row = np.nonzero((parents != np.arange(self.width)) & alive)
        if len(guest):
            self._copy(guest * self.width + parents[guest, row], guest * self.width + row, self.said[guest])
        if int(self.said[:guests].max()) >= self.room:
            self._resize(self.places, self.room * 2)

    def _copy(self, sources: np.ndarray, targets: np.ndarray, ends: np.ndarray) -> None:
        """Copy rows, from where they part on. None is read and written: who is written was continued by nobody."""
        starts = (self.paths[sources] != self.paths[targets]).argmax(1)
        for source, target, start, end in zip(
            sources.tolist(), targets.tolist(), starts.tolist(), ends.tolist(), strict=True
        ):
            self.all[:, target, :, start:end] = self.all[:, source, :, start:end]
        self.paths[targets] = self.paths[sources]

    def shrink(self, guests: int) -> None:
        """Give back what is there for four times as many guests, or entries, as those seated are, or have."""
        few = guests * 4 < self.places and self.places > FEW
        short = int(self.said[:guests].max(initial=0)) * 4 < self.room and self.room > LEAST
        if few or short:
            self._resize(max(guests, FEW, self.places // 2) if few else self.places, self.room // (1 + short))

    def _resize(self, places: int, room: int) -> None:
        """Change the tables and the room for entries, keeping the first ones of both."""
        rows, kept = min(places, self.places) * self.width, min(room, self.room)
        all_, paths = self.all, self.paths
        self._make(places, room)
        self.all[:, :rows, :, :kept], self.paths[:rows, :kept] = all_[:, :rows, :, :kept], paths[:rows, :kept]

    def move(self, source: int, target: int) -> None:
        """Move a guest to another place."""
        said = int(self.said[source])
        self.said[target] = said
        of_source, of_target = (slice(one * self.width, (one + 1) * self.width) for one in (source, target))
        self.all[:, of_target, :, :said] = self.all[:, of_source, :, :said]
        self.paths[of_target] = self.paths[of_source]
