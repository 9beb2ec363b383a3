"""The history of every seated guest: pieces, scores and attention rows, step by step.

Knows nothing of sessions or of choosing. Pieces, running scores and *paths* are kept a hypothesis: they are turned
over with the beams at every step. A path says which row computed each token. Attention rows are stored once, where
their own ancestor computed them, and are read along the path when an answer leaves; so a hypothesis' map is its own
even after the beams have crossed.

Axes: places (capacity), W rows a guest, T steps (grown as needed); attention outputs add (…, S).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from service.engine.search import Choice

FIRST = 32  # steps that a new trail has room for; doubled when full
NOWHERE = -1  # a path's entry before its step


class Told(NamedTuple):
    """What a hypothesis said: ids (T,), running sums of log-probability (T,), and its path (T,)."""

    ids: np.ndarray
    totals: np.ndarray
    path: np.ndarray

    @property
    def logprobs(self) -> np.ndarray:
        """Log-probability of each token (T,)."""
        each = self.totals.copy()
        each[1:] -= self.totals[:-1]
        return each


class Trail:
    """Told hypotheses are arrays (place, row, step), kept outputs arrays (place, step, row, …)."""

    def __init__(self, capacity: int, width: int) -> None:
        self.width = width
        self.ids = np.zeros((capacity, width, FIRST), np.int32)
        self.paths = np.full((capacity, width, FIRST), NOWHERE, np.int16)
        self.totals = np.zeros((capacity, width, FIRST), np.float32)
        self.kept: dict[str, np.ndarray] = {}

    def clear(self, start: int, end: int) -> None:
        """Forget whoever sat at these places."""
        self.paths[start:end] = NOWHERE

    def keep(self, steps: np.ndarray, kept: Mapping[str, np.ndarray]) -> None:
        """Note this step's outputs (G, W, …) at each guest's own step (G,)."""
        if int(steps.max()) >= self.ids.shape[2]:
            self._lengthen()
        places = np.arange(len(steps))
        for name, values in kept.items():
            room = self._room(name, values)
            if values.ndim == 2:  # (G, W): a scalar a row, such as a gate
                room[places, steps] = values
            else:
                room[places, steps, ..., : values.shape[-1]] = values

    def turn(self, steps: np.ndarray, choice: Choice) -> None:
        """Turn the hypotheses over as the beams did at each guest's own step (G,), and note what each said."""
        guests, places = len(steps), np.arange(len(steps))[:, None]
        if self.width > 1:
            rows = (places * self.width + choice.parents).ravel()
            for values in (self.ids, self.totals, self.paths):
                flat = values[:guests].reshape(guests * self.width, -1)
                flat[:] = flat.take(rows, axis=0)
        at = places, np.arange(self.width), steps[:, None]
        self.ids[at], self.totals[at], self.paths[at] = choice.tokens, choice.scores, choice.parents

    def told(self, place: int, row: int, steps: int) -> Told:
        """The first `steps` steps of a row's hypothesis."""
        return Told(
            self.ids[place, row, :steps].copy(),
            self.totals[place, row, :steps].copy(),
            self.paths[place, row, :steps].copy(),
        )

    def ended(self, place: int, row: int, steps: int, piece: int, total: float) -> Told:
        """What a row's hypothesis said in its first `steps` steps, and one piece more, which that row computed."""
        told = self.told(place, row, steps + 1)
        told.ids[steps], told.totals[steps], told.path[steps] = piece, total, row
        return told

    def along(
        self, place: int, path: np.ndarray, length: int, names: Sequence[str], first: int = 0
    ) -> dict[str, np.ndarray]:
        """Kept outputs along a path from step `first` on: (T, …, length) where they look at memory, (T,) if scalars."""
        steps = np.arange(first, len(path))
        return {
            name: values[place, steps, path[first:]]
            if values.ndim == 3
            else values[place, steps, path[first:]][..., :length]
            for name, values in ((name, self.kept[name]) for name in names if name in self.kept)
        }

    def move(self, source: int, target: int, steps: int) -> None:
        """Move a guest's first `steps` steps to another place."""
        for values in (self.ids, self.totals, self.paths):
            values[target] = values[source]
        for values in self.kept.values():
            values[target, :steps] = values[source, :steps]

    def _lengthen(self) -> None:
        """Double the room for steps."""
        self.paths = np.concatenate([self.paths, np.full_like(self.paths, NOWHERE)], 2)
        self.ids, self.totals = (np.concatenate([one, np.zeros_like(one)], 2) for one in (self.ids, self.totals))
        self.kept = {name: np.concatenate([values, np.zeros_like(values)], 1) for name, values in self.kept.items()}

    def _room(self, name: str, values: np.ndarray) -> np.ndarray:
        """The array for an output (G, W, …, S), made or widened in S as needed; scalars a row have no S."""
        found = self.kept.get(name)
        if found is not None and (values.ndim == 2 or found.shape[-1] >= values.shape[-1]):
            return found
        capacity, width, steps = self.ids.shape
        fresh: np.ndarray = np.zeros((capacity, steps, width, *values.shape[2:]), dtype=np.float32)
        if found is not None:
            fresh[..., : found.shape[-1]] = found
        self.kept[name] = fresh
        return fresh
