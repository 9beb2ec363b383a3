"""The table: every seated guest's memory, beams and history, in arrays that one step serves at once.

Knows nothing of sessions, clocks or queues. One table holds guests of one beam width W; a guest of
a smaller beam leaves its last rows dead. Memory is kept once a guest: its W rows share it.

Axes: G guests seated (of `capacity`), W rows a guest, S memory positions, T steps, R state rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Many
from typing import Any

import numpy as np

from bundle.text import BOS, EOS, PAD
from service.engine.caches import caches_for
from service.engine.device import on_host
from service.engine.layout import Layout
from service.engine.looks import allowed, pinned
from service.engine.repeats import Repeats
from service.engine.search import ALIVE, DEAD, Candidates, Choice, Rules, best, candidates_wanted, choose, force, pruned
from service.engine.sequence import Ended, Sequence
from service.engine.trail import Trail

GROWTH = 0.2  # of its length: what an unfinished hypothesis may hope for (docs/log.md, "Searches that end too soon")
STRIDE = 8  # memory is padded to a multiple of this many positions: few shapes, little waste


class Slots:
    """Guests of one beam width, seated densely: places 0..G-1; who leaves is replaced by the last."""

    def __init__(self, width: int, capacity: int, layout: Layout, rules: Rules = Rules()) -> None:  # noqa: B008 - frozen
        """Empty; capacity: guests."""
        self.width, self.capacity, self.layout, self.count, self.positions = width, capacity, layout, 0, 0
        self.guests: list[Sequence] = []
        self.memory: dict[str, np.ndarray] = {}
        self.states: list[Any] = []  # (R, width), the rows that `rows` points into; on a GPU they stay there
        self.lengths = np.zeros(capacity, np.int64)
        self.mask = np.zeros((capacity, 0), bool)
        self.tokens = np.full((capacity, width), BOS, np.int64)
        self.rows = np.zeros((capacity, width), np.int64)
        self.scores = np.full((capacity, width), DEAD, np.float32)
        self.steps = np.zeros(capacity, np.int64)
        self.limits = np.zeros(capacity, np.int64)
        self.beams = np.zeros(capacity, np.int64)
        self.penalties = np.zeros(capacity, np.float32)
        self.bars = np.zeros(capacity, np.float32)  # what the guest's unfinished hypotheses must beat
        self.margins = np.zeros(capacity, np.float32)
        self.deadlines = np.full(capacity, np.inf)  # time.monotonic() seconds
        self.wants = np.zeros(capacity, np.int8)  # attention: 0 none, 1 the row shown by default, 2 every head's
        self.prefix = np.full((capacity, 0), PAD, np.int64)
        self.prefixed = np.zeros(capacity, np.int64)
        self.trail = Trail(capacity, width)
        self.caches = caches_for(layout, capacity, width)
        self.rules, self.repeats = rules, Repeats(capacity, width, rules.repeats) if rules.repeats else None
        self.listeners = 0  # guests who want to hear every step
        self.pinners = 0  # guests who say where some steps look

    def seat(
        self, guests: list[Sequence], memory: Mapping[str, np.ndarray], states: list[np.ndarray], lengths: np.ndarray
    ) -> None:
        """Seat newcomers: memory (n, S', …) and states (n, width) by guest, lengths (n,) true positions."""
        start, end = self.count, self.count + len(guests)
        self._widen(memory, int(lengths.max()))
        for name, values in memory.items():
            axis = self._axis(name)
            kept = min(values.shape[axis], self.positions)
            places = self.memory[name][start:end]
            places[_first(axis, kept)] = values[_first(axis, kept)]
            places[_after(axis, kept)] = 0
        self.trail.clear(start, end)
        self.caches.clear(start, end)
        self.caches.shrink(end)
        if self.repeats:
            self.repeats.clear(start, end)
        self.lengths[start:end] = lengths
        held = [on_host(state) for state in self.states]
        base = len(held[0]) if held else 0
        self.states = [np.concatenate(pair) for pair in zip(held, states, strict=True)] if held else states
        self.rows[start:end] = base + np.arange(len(guests))[:, None]
        self.tokens[start:end] = BOS
        self.scores[start:end] = np.where(np.arange(self.width) == 0, np.float32(0), np.float32(DEAD))
        self.steps[start:end], self.bars[start:end] = 0, -np.inf
        options = [guest.job.options for guest in guests]
        told = zip(lengths.tolist(), options, strict=True)
        self.mask[start:end] = [allowed(length, self.positions, one) for length, one in told]
        self.beams[start:end] = [one.beam_size for one in options]
        self.penalties[start:end] = [one.length_penalty for one in options]
        self.limits[start:end] = [one.max_length for one in options]
        self.margins[start:end] = [self.rules.margin if one.n_best == 1 else np.inf for one in options]
        self.deadlines[start:end] = [np.inf if one.deadline is None else one.deadline for one in options]
        self.wants[start:end] = [one.attention + (one.attention and one.heads) for one in options]
        self.listeners += sum(one.stream for one in options)
        self.pinners += sum(bool(one.pin) for one in options)
        self._force_start(start, [one.prefix for one in options])
        self.guests += guests
        self.count = end

    def _force_start(self, start: int, prefixes: list[tuple[int, ...]]) -> None:
        """Note the newcomers' forced prefixes."""
        longest = max(map(len, prefixes))
        if longest > self.prefix.shape[1]:
            extra = longest - self.prefix.shape[1]
            self.prefix = np.pad(self.prefix, ((0, 0), (0, extra)), constant_values=PAD)
        for place, prefix in enumerate(prefixes, start):
            self.prefix[place, : len(prefix)] = prefix
            self.prefixed[place] = len(prefix)

    def _widen(self, memory: Mapping[str, np.ndarray], longest: int) -> None:
        """Fit the memory's positions to the longest guest, seated or new: grown or shrunk at admission only."""
        longest = max(longest, int(self.lengths[: self.count].max(initial=0)))
        positions = -(-longest // STRIDE) * STRIDE
        if positions == self.positions and self.memory:
            return
        kept = min(positions, self.positions)
        for name, values in memory.items():
            axis = self._axis(name)
            shape = [self.capacity, *values.shape[1:]]
            shape[axis] = positions
            fresh = np.zeros(shape, values.dtype)
            if name in self.memory:
                fresh[: self.count][_first(axis, kept)] = self.memory[name][: self.count][_first(axis, kept)]
            self.memory[name] = fresh
        mask = np.zeros((self.capacity, positions), bool)
        mask[: self.count, :kept] = self.mask[: self.count, :kept]
        self.mask, self.positions = mask, positions

    def _axis(self, name: str) -> int:
        """The axis S of a memory tensor."""
        return (self.layout.axes or {}).get(name, 1)

    def feeds(self) -> dict[str, np.ndarray]:
        """The step graph's inputs for the guests seated."""
        seated = slice(0, self.count)
        feeds: dict[str, np.ndarray] = {
            "token": self.tokens[seated],
            "rows": self.rows[seated],
            "scores": self.scores[seated],
            "forced": self._forced()[1][:, None].repeat(self.width, 1),
            "candidates": np.array([candidates_wanted(self.width, spare=bool(self.repeats))], np.int64),
            "mask": self._looks(),
            **{name: values[seated] for name, values in self.memory.items()},
            **dict(zip(self.layout.states, self.states, strict=True)),
        }
        if self.caches.tables:
            feeds |= {"position": self.steps[seated, None], **self.caches.feeds(self.count)}
        return feeds

    def _looks(self) -> np.ndarray:
        """The memory positions (G, S) that this step may look at."""
        mask = self.mask[: self.count]
        if not self.pinners:
            return mask
        return pinned(mask, [guest.job.options for guest in self.guests], self.steps[: self.count])

    def memory_of(self, place: int) -> dict[str, np.ndarray]:
        """A copy of a guest's own memory: its true positions, without the axis of guests."""
        length = int(self.lengths[place])
        return {name: one[place][_first(self._axis(name) - 1, length)].copy() for name, one in self.memory.items()}

    def _forced(self) -> tuple[np.ndarray, np.ndarray]:
        """Which guests are inside their prefix (G,), and the piece each must take (G,), PAD for the others."""
        steps = self.steps[: self.count]
        forced = steps < self.prefixed[: self.count]
        if not forced.any():
            return forced, np.full(self.count, PAD, np.int64)
        column = np.minimum(steps, self.prefix.shape[1] - 1)
        return forced, np.where(forced, self.prefix[np.arange(self.count), column], PAD)

    def kept(self) -> Many[str]:
        """The outputs that somebody seated wants kept for each token."""
        wanted = self.wants[: self.count].max(initial=0)
        return [*(self.layout.row if wanted else ()), *(self.layout.heads if wanted > 1 else ())]

    def advance(self, out: Mapping[str, np.ndarray]) -> list[int]:
        """Take in a step's outputs; returns the places whose guests are finished.

        An unfinished hypothesis is given up when, scored as if it were GROWTH longer, it does not beat its guest's n-th
        best finished one. A guest is finished when none is left, or when it has come to its length limit.
        """
        n, width = self.count, self.width
        candidates = Candidates(out["scores_out"], out["tokens_out"], out["parents_out"])
        if self.repeats:
            candidates = self.repeats.without(candidates, self.guests)
        if width == 1:
            candidates = best(candidates)
        forced, tokens = self._forced()
        candidates = force(candidates, forced, tokens, out["forced_out"][:, 0])
        choice, steps = choose(candidates, self.beams[:n], width), self.steps[:n]
        self.trail.keep(steps, {name: out[name] for name in self.kept() if name in out})
        self._end(choice)
        floors = self.bars[:n] * ((steps + 1) * (1 + GROWTH)) ** self.penalties[:n]
        choice = self.caches.settled(pruned(choice, self.margins[:n], floors))
        self.trail.turn(steps, choice)
        if self.repeats:
            self.repeats.turn(choice)
        if self.caches.tables:
            self.caches.keep(out)
            self.caches.turn(choice.parents, choice.scores > ALIVE)
        self.states = [_flat(out[f"{name}_out"]) for name in self.layout.states]
        self.rows[:n] = np.arange(n)[:, None] * width + choice.parents
        self.tokens[:n], self.scores[:n] = choice.tokens, choice.scores
        self.steps[:n] += 1
        over = (self.scores[:n].max(1) < ALIVE) | (self.steps[:n] >= self.limits[:n])
        return np.nonzero(over)[0].tolist()

    def _end(self, choice: Choice) -> None:
        """Hand every hypothesis that ended in this step, and that matters, to its guest."""
        steps = self.steps[choice.ended]
        scores = choice.ended_scores / (steps + 1) ** self.penalties[choice.ended]
        matters = np.nonzero(scores > self.bars[choice.ended])[0]
        for i in matters.tolist():
            place, parent, step = int(choice.ended[i]), int(choice.ended_parents[i]), int(steps[i])
            told = self.trail.ended(place, parent, step, EOS, choice.ended_scores[i])
            self.bars[place] = self.guests[place].end(Ended(told, float(scores[i]), "stop"))

    def leave(self, place: int) -> Sequence:
        """Free a place: the last guest moves there."""
        guest, last = self.guests[place], self.count - 1
        self.listeners -= guest.job.options.stream
        self.pinners -= bool(guest.job.options.pin)
        if place != last:
            for values in (*self.memory.values(), *self._columns()):
                values[place] = values[last]
            self.trail.move(last, place, int(self.steps[last]))
            self.caches.move(last, place)
            if self.repeats:
                self.repeats.move(last, place)
            self.guests[place] = self.guests[last]
        self.guests.pop()
        self.count = last
        if not last:
            self.states = []
        return guest

    def _columns(self) -> tuple[np.ndarray, ...]:
        """Every array with one entry a guest, memory and trail aside."""
        return (
            self.lengths, self.mask, self.tokens, self.rows, self.scores, self.steps, self.limits,
            self.beams, self.penalties, self.bars, self.margins, self.deadlines, self.wants, self.prefix, self.prefixed,
        )  # fmt: skip


def _flat(state: Any) -> Any:
    """State (B, K, width) as rows; on a device of its own it is in rows already."""
    return state.reshape(-1, state.shape[-1]) if isinstance(state, np.ndarray) else state


def _first(axis: int, kept: int) -> tuple[slice, ...]:
    """The first positions along an axis, everything else whole."""
    return (*(slice(None),) * axis, slice(kept))


def _after(axis: int, kept: int) -> tuple[slice, ...]:
    """The positions after those."""
    return (*(slice(None),) * axis, slice(kept, None))
