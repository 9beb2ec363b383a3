"""The second course: an answer that was found is said once more, to learn what else each of its steps could have said.

Knows nothing of sessions, clocks or queues. Who asked for alternatives is told the most probable pieces of each step.
Who asked for trials is told what each step would have said under other attention: every variant of a step begins with
the state that the plain one left, so a variant is one step away from what was said, never two.

Axes: G guests, V variants a guest, K rows a variant, S memory positions, T steps, R state rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bundle.text import BOS
from service.engine.caches import caches_for
from service.engine.device import on_host
from service.engine.layout import Layout
from service.engine.looks import over_time
from service.engine.search import DEAD
from service.engine.sequence import Sequence
from service.engine.slots import Slots

PLAIN, MASKED, UNIFORM, OTHER = range(4)  # the variants of a trial: as it was; without the position most attended to;
# with the same attention to all; and without one other position, drawn at random
VARIANTS = {"alternatives": 1, "trials": 4}
STRIDE = 8  # memory is padded to a multiple of this many positions


class Recall(NamedTuple):
    """A guest with what its second course needs."""

    guest: Sequence
    memory: dict[str, np.ndarray]  # its own, without the axis of guests
    looks: np.ndarray  # (T, 4, S) what each step of each variant may look at; (T, 1, S) if no trials are wanted


def reviews(guest: Sequence) -> list[str]:
    """The kinds of review that a guest still waits for."""
    options = guest.job.options
    told = guest.answers[0].extras if guest.answers else {}
    kinds = {"alternatives": options.alternatives > 0, "trials": options.trials and options.attention}
    return [kind for kind, wanted in kinds.items() if wanted and FOUND[kind] not in told]


FOUND = {"alternatives": "alternatives", "trials": "tried_first"}  # what each leaves in the best answer's extras


def remember(guest: Sequence, states: Many[np.ndarray]) -> None:
    """Note the state that a guest begins with, if its answer will be said again."""
    if reviews(guest):
        guest.first = [state.copy() for state in states]


def recall(table: Slots | Review, place: int) -> Recall:
    """A guest at its place, whose answer is known, with what its next course needs."""
    if isinstance(table, Review):
        return table.recalls[place]
    guest = table.guests[place]
    best, length = guest.answers[0], int(table.lengths[place])
    plain = over_time(length, guest.job.options, len(best.ids))
    looks = plain[:, None]
    if "trials" in reviews(guest):
        name = table.layout.row[0]
        rows = table.trail.along(place, guest.ended[0].told.path, length, [name])[name]
        looks = np.stack([plain, *_without(plain, rows, best.ids)], 1)[:, [0, 1, 0, 2]]
    return Recall(guest, table.memory_of(place), looks)


def _without(looks: np.ndarray, rows: np.ndarray, ids: Many[int]) -> list[np.ndarray]:
    """Looks (T, S) without the position most attended to; and without another. The last one left is never taken."""
    random, steps = np.random.default_rng(list(ids)), np.arange(len(looks))  # the same request, the same answer
    top = np.where(looks, rows, -1).argmax(1)
    draw = np.where(looks, random.random(looks.shape), -1)
    draw[steps, top] = -1
    out = []
    for taken in (top, draw.argmax(1)):
        left = looks.copy()
        left[steps, taken] = False
        out.append(np.where(left.any(1, keepdims=True), left, looks))
    return out


class Review:
    """A table of guests whose answers are forced, a piece a step. It has what the loop asks of every table."""

    def __init__(self, kind: str, rows: int, layout: Layout) -> None:
        """kind: of `VARIANTS`; rows: those of a step, at most."""
        self.kind, self.layout, self.variants = kind, layout, VARIANTS[kind]
        self.beside = 2 if kind == "alternatives" else 1  # the graph gives C candidates of rows that have C / 2 each
        self.width = self.variants * self.beside
        self.capacity = max(1, rows // self.width)
        self.arrivals: deque[Recall] = deque()  # who waits for a place
        self.recalls: list[Recall] = []
        self.noted: list[list[tuple[np.ndarray, ...]]] = []  # of each guest, of each step
        self.memory: dict[str, np.ndarray] = {}  # (G * V, …)
        self.states: list[Any] = []  # (R, width)
        self.rows = np.zeros(0, np.int64)  # (G,) the state of each guest's plain variant
        self.deadlines = np.zeros(0)
        self.caches = caches_for(layout, self.capacity * self.variants, self.beside)
        self.positions = 0

    @property
    def guests(self) -> list[Sequence]:
        """Who is seated."""
        return [one.guest for one in self.recalls]

    @property
    def count(self) -> int:
        """How many are seated or wait."""
        return len(self.recalls) + len(self.arrivals)

    def _ids(self, place: int) -> Many[int]:
        return self.recalls[place].guest.answers[0].ids

    def seat(self) -> None:
        """Seat those who wait, as far as there is room."""
        start = len(self.recalls)
        new = [self.arrivals.popleft() for _ in range(min(len(self.arrivals), self.capacity - start))]
        if not new:
            return
        self.recalls += new
        self.noted += [[] for _ in new]
        self._widen()
        for place, one in enumerate(new, start):
            for name, values in one.memory.items():
                self._remember(name, place, values, one)
        deadlines = [one.guest.job.options.deadline for one in new]
        self.deadlines = np.append(self.deadlines, [np.inf if one is None else one for one in deadlines])
        held = [on_host(state) for state in self.states]
        first = [np.stack(parts) for parts in zip(*(one.guest.first for one in new), strict=True)]
        self.rows = np.append(self.rows, (len(held[0]) if held else 0) + np.arange(len(new)))
        self.states = [np.concatenate(pair) for pair in zip(held, first, strict=True)] if held else first
        self.caches.clear(start * self.variants, len(self.recalls) * self.variants)
        self.caches.shrink(len(self.recalls) * self.variants)

    def _remember(self, name: str, place: int, values: np.ndarray, one: Recall) -> None:
        """A guest's memory for each of its variants; where attention is uniform, every position holds the mean."""
        axis = self._axis(name)
        target = np.moveaxis(self.memory[name][place * self.variants : (place + 1) * self.variants], axis, 1)
        by_position = np.moveaxis(values, axis - 1, 0)
        target[:, : len(by_position)], target[:, len(by_position) :] = by_position, 0
        if self.variants > UNIFORM:
            seen = one.looks[:, UNIFORM].any(0)
            target[UNIFORM, : len(by_position)] = by_position[seen].mean(0)

    def _axis(self, name: str) -> int:
        return (self.layout.axes or {}).get(name, 1)

    def _widen(self) -> None:
        """Fit the memory to the longest guest; it stays as wide until nobody is seated."""
        longest = max(one.looks.shape[-1] for one in self.recalls)
        positions = max(self.positions, -(-longest // STRIDE) * STRIDE)
        if positions == self.positions:
            return
        seated = len(self.rows) * self.variants  # before the newcomers
        for name, values in self.recalls[-1].memory.items():
            axis = self._axis(name)
            shape = [self.capacity * self.variants, *values.shape]
            shape[axis] = positions
            fresh = np.zeros(shape, values.dtype)
            if name in self.memory:
                kept = (*(slice(None),) * axis, slice(self.positions))
                fresh[:seated][kept] = self.memory[name][:seated]
            self.memory[name] = fresh
        self.positions = positions

    def feeds(self) -> dict[str, np.ndarray]:
        """Seat those who wait; then the step graph's inputs. Each guest's next piece is forced."""
        self.seat()
        guests, steps = range(len(self.recalls)), [len(one) for one in self.noted]
        shape = len(guests) * self.variants, self.beside
        looks = np.zeros((len(guests), self.variants, self.positions), bool)
        for one, step, row in zip(self.recalls, steps, looks, strict=True):
            row[:, : one.looks.shape[-1]] = one.looks[step, : self.variants]
        last = np.array([self._ids(place)[steps[place] - 1] if steps[place] else BOS for place in guests], np.int64)
        next_ = np.array([self._ids(place)[steps[place]] for place in guests], np.int64)
        scores = np.full(shape, DEAD, np.float32)
        scores[:, 0] = 0
        feeds: dict[str, np.ndarray] = {
            "token": self._spread(last),
            "rows": self._spread(self.rows),
            "scores": scores,
            "forced": self._spread(next_),
            "candidates": np.array([self._candidates()], np.int64),
            "mask": looks.reshape(-1, self.positions),
            **{name: values[: shape[0]] for name, values in self.memory.items()},
            **dict(zip(self.layout.states, self.states, strict=True)),
        }
        if self.caches.tables:
            feeds |= {"position": self._spread(np.array(steps))[:, :1], **self.caches.feeds(shape[0])}
        return feeds

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """A value a guest (G,) for each row of each of its variants (G * V, K)."""
        return values.repeat(self.width).reshape(-1, self.beside)

    def _candidates(self) -> int:
        """C: one is enough for trials; of C candidates, a row that stands beside a dead one has C / 2 + 1."""
        most = max(one.guest.job.options.alternatives for one in self.recalls)
        return 1 if self.beside == 1 else max(2, 2 * (most - 1))

    def kept(self) -> Many[str]:
        """No attention: the rows are known."""
        return ()

    def advance(self, out: Mapping[str, np.ndarray]) -> list[int]:
        """Take in a step's outputs; returns the places whose answers have been said to their end."""
        guests = len(self.recalls)
        ids, scores = (out[name].reshape(guests, self.variants, -1) for name in ("tokens_out", "scores_out"))
        said = out["forced_out"].reshape(guests, self.variants, -1)[..., 0]
        for place, note in enumerate(self.noted):
            most = self.recalls[place].guest.job.options.alternatives
            found = (
                (ids[place, :, 0], said[place]) if self.beside == 1 else (ids[place, 0, :most], scores[place, 0, :most])
            )
            note.append(tuple(one.copy() for one in found))
        self.states = [
            state.reshape(-1, state.shape[-1]) if isinstance(state, np.ndarray) else state
            for state in (out[f"{name}_out"] for name in self.layout.states)
        ]
        self.rows = np.arange(guests) * self.width
        if self.caches.tables:
            self.caches.keep(out, every=self.variants)  # every step begins where the plain variant left off
            parents = np.zeros((guests * self.variants, self.beside), np.int64)
            self.caches.turn(parents, np.broadcast_to(np.arange(self.beside) == 0, parents.shape))
        over = [place for place in range(guests) if len(self.noted[place]) == len(self._ids(place))]
        for place in over:
            self._conclude(place)
        return over

    def _conclude(self, place: int) -> None:
        """Put what was found into the guest's best answer."""
        guest = self.recalls[place].guest
        first, second = (np.stack(parts) for parts in zip(*self.noted[place], strict=True))
        names = (
            (FOUND["alternatives"], "alternative_logprobs") if self.beside > 1 else (FOUND["trials"], "tried_logprobs")
        )
        extras = {**guest.answers[0].extras, names[0]: first, names[1]: second}
        guest.answers = (replace(guest.answers[0], extras=extras), *guest.answers[1:])

    def leave(self, place: int) -> Sequence:
        """Free a place: the last guest moves there."""
        guest, last = self.recalls[place].guest, len(self.recalls) - 1
        if place != last:
            for v in range(self.variants):
                source, target = last * self.variants + v, place * self.variants + v
                for values in self.memory.values():
                    values[target] = values[source]
                self.caches.move(source, target)
            self.rows[place], self.deadlines[place] = self.rows[last], self.deadlines[last]
            self.recalls[place], self.noted[place] = self.recalls[last], self.noted[last]
        self.recalls.pop()
        self.noted.pop()
        self.rows, self.deadlines = self.rows[:last], self.deadlines[:last]
        if not last:
            self.states, self.memory, self.positions = [], {}, 0
        return guest
