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

LEAST = 64  # entries that there is always room for: 256 KiB a row of a net of width 128 and 4 layers


class RowCaches:
    """One table (capacity * W, N, P, d) for each cache tensor of a model, all in one array."""

    def __init__(self, shapes: Mapping[str, tuple[int, int]], capacity: int, width: int) -> None:
        """shapes: name to (N, d), the same for all."""
        self.capacity, self.width, self.shapes = capacity, width, shapes
        self.said = np.zeros(capacity, np.int32)  # entries of each guest's rows
        self._make(LEAST)

    def _make(self, room: int) -> None:
        """Empty tables, with room for so many entries a row."""
        (heads, size), *others = set(self.shapes.values())
        if others:
            raise ValueError("caches of rows have one shape")
        self.room = room
        self.all = np.zeros((len(self.shapes), self.capacity * self.width, heads, room, size), np.float32)
        self.tables = dict(zip(self.shapes, self.all, strict=True))
        self.paths = np.zeros((self.capacity * self.width, room), np.int16)  # the row that computed each entry

    def clear(self, start: int, end: int) -> None:
        """Forget whoever sat at these places."""
        self.said[start:end] = 0

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
        continues = (choice.parents[:, :, None] == np.arange(self.width)) & alive[:, :, None]  # (G, beam, row)
        first = continues & (continues.cumsum(1) == 1)
        stays, taken = first.any(2), first.any(1)
        free = np.argsort(taken, axis=1, kind="stable")
        nth = np.maximum((~stays).cumsum(1) - 1, 0)
        row = np.where(stays, choice.parents, np.take_along_axis(free, nth, 1))
        order = np.empty_like(row)
        order[np.arange(guests)[:, None], row] = np.arange(self.width)
        scores, tokens, parents = (
            np.take_along_axis(one, order, 1) for one in (choice.scores, choice.tokens, choice.parents)
        )
        return replace(choice, scores=scores, tokens=tokens, parents=parents)

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
            self._resize(self.room * 2)

    def _copy(self, sources: np.ndarray, targets: np.ndarray, ends: np.ndarray) -> None:
        """Copy rows, from where they part on. None is read and written: who is written was continued by nobody."""
        starts = (self.paths[sources] != self.paths[targets]).argmax(1)
        for source, target, start, end in zip(
            sources.tolist(), targets.tolist(), starts.tolist(), ends.tolist(), strict=True
        ):
            self.all[:, target, :, start:end] = self.all[:, source, :, start:end]
        self.paths[targets] = self.paths[sources]

    def shrink(self, guests: int) -> None:
        """Give room back if those seated need less than a quarter of it."""
        if self.room > LEAST and int(self.said[:guests].max(initial=0)) * 4 < self.room:
            self._resize(self.room // 2)

    def _resize(self, room: int) -> None:
        """Change the room for entries, keeping the first ones."""
        kept, (all_, paths) = min(room, self.room), (self.all, self.paths)
        self._make(room)
        self.all[:, :, :, :kept], self.paths[:, :kept] = all_[:, :, :, :kept], paths[:, :kept]

    def move(self, source: int, target: int) -> None:
        """Move a guest to another place."""
        said = int(self.said[source])
        self.said[target] = said
        of_source, of_target = (slice(one * self.width, (one + 1) * self.width) for one in (source, target))
        self.all[:, of_target, :, :said] = self.all[:, of_source, :, :said]
        self.paths[of_target] = self.paths[of_source]
