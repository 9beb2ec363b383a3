"""The history of every seated guest: pieces, back-pointers, scores and attention rows, step by step.

Knows nothing of sessions or of choosing. A row is stored where its own ancestor computed it; a
finished hypothesis is read off by following the back-pointers, so its map is its own even after
the beams have crossed.

Axes: places (capacity), T steps (grown as needed), W rows a guest; attention outputs add (…, S).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bundle.text import EOS
from service.engine.search import Choice
from service.engine.sequence import Sequence, scored
from service.messages import Hypothesis

FIRST = 32  # steps that a new trail has room for; doubled when full


class Trail:
    """Arrays indexed (place, step, row)."""

    def __init__(self, capacity: int, width: int) -> None:
        self.tokens = np.zeros((capacity, FIRST, width), np.int32)
        self.parents = np.zeros((capacity, FIRST, width), np.int16)
        self.scores = np.zeros((capacity, FIRST, width), np.float32)
        self.kept: dict[str, np.ndarray] = {}

    def write(self, steps: np.ndarray, choice: Choice, kept: Mapping[str, np.ndarray]) -> None:
        """Note this step's choice (G, W) and kept outputs (G, W, …) at each guest's own step (G,)."""
        longest, places = int(steps.max()), np.arange(len(steps))
        if longest >= self.tokens.shape[1]:
            self._lengthen()
        self.tokens[places, steps] = choice.tokens
        self.parents[places, steps] = choice.parents
        self.scores[places, steps] = choice.scores
        for name, values in kept.items():
            room = self._room(name, values)
            room[places, steps, ..., : values.shape[-1]] = values

    def _lengthen(self) -> None:
        """Double the room for steps."""
        for name in ("tokens", "parents", "scores"):
            values = getattr(self, name)
            setattr(self, name, np.concatenate([values, np.zeros_like(values)], 1))
        self.kept = {name: np.concatenate([values, np.zeros_like(values)], 1) for name, values in self.kept.items()}

    def _room(self, name: str, values: np.ndarray) -> np.ndarray:
        """The array for an output (G, W, …, S), made or widened in S as needed; scalars a row have no S."""
        scalar = values.ndim == 2  # (G, W): such as a gate
        found = self.kept.get(name)
        if found is not None and (scalar or found.shape[-1] >= values.shape[-1]):
            return found
        fresh: np.ndarray = np.zeros((*self.tokens.shape, *values.shape[2:]), dtype=np.float32)
        if found is not None:
            fresh[..., : found.shape[-1]] = found
        self.kept[name] = fresh
        return fresh

    def move(self, source: int, target: int, steps: int) -> None:
        """Move a guest's first `steps` steps to another place."""
        arrays: list[np.ndarray] = [self.tokens, self.parents, self.scores, *self.kept.values()]
        for values in arrays:
            values[target, :steps] = values[source, :steps]

    def ended(self, guest: Sequence, place: int, length: int, step: int, parent: int, total: float) -> Hypothesis:
        """The hypothesis that added EOS to row `parent` at this step."""
        path = [parent, *self._ancestors(place, step - 1, parent)][::-1]  # the row that computed each token
        beams = np.array([*path[1:], 0])  # the row each token was stored in; EOS was stored nowhere
        steps = np.arange(step + 1)
        ids = [*self.tokens[place, steps[:-1], beams[:-1]].tolist(), EOS]
        totals = np.append(self.scores[place, steps[:-1], beams[:-1]], np.float32(total))
        return self._hypothesis(guest, ids, totals, self._along(place, length, path), "stop")

    def cut(self, guest: Sequence, place: int, length: int, step: int, beam: int) -> Hypothesis:
        """The unfinished hypothesis in row `beam` after this step."""
        path = self._ancestors(place, step, beam)[::-1]
        beams, steps = np.array([*path[1:], beam]), np.arange(step + 1)
        ids, totals = self.tokens[place, steps, beams].tolist(), self.scores[place, steps, beams]
        return self._hypothesis(guest, ids, totals, self._along(place, length, path), "length")

    def _ancestors(self, place: int, step: int, beam: int) -> list[int]:
        """The row that computed the token of each step, from this one back to the first."""
        rows = []
        for t in range(step, -1, -1):
            beam = int(self.parents[place, t, beam])
            rows.append(beam)
        return rows

    def _along(self, place: int, length: int, path: list[int]) -> dict[str, np.ndarray]:
        """Kept outputs along a path of rows (T,): (T, …, length) where they look at memory, (T,) where they do not."""
        steps, rows = np.arange(len(path)), np.array(path)
        return {
            name: (values[place, steps, rows] if values.ndim == 3 else values[place, steps, rows][..., :length]).copy()
            for name, values in self.kept.items()
        }

    def _hypothesis(
        self, guest: Sequence, ids: list[int], totals: np.ndarray, along: dict[str, np.ndarray], why: str
    ) -> Hypothesis:
        """Put a hypothesis together; totals (T,) are running sums of log-probability."""
        rows = next((along.pop(name) for name in list(along) if along[name].ndim > 1), None)
        if not guest.job.options.attention:
            rows, along = None, {}
        score = scored(float(totals[-1]), len(ids), guest)
        return Hypothesis(ids, np.diff(totals, prepend=np.float32(0)), score, why, rows, along)
