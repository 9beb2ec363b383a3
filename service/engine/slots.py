"""The table: every seated guest's memory, beams and history, in arrays that one step serves at once.

Knows nothing of sessions, clocks or queues. One table holds guests of one beam width W; a guest of
a smaller beam leaves its last rows dead. Memory is kept once a guest: its W rows share it.

Axes: G guests seated (of `capacity`), W rows a guest, S memory positions, T steps, R state rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bundle.text import BOS, PAD
from service.engine.search import ALIVE, DEAD, Candidates, Choice, candidates_wanted, choose, force
from service.engine.sequence import Sequence
from service.engine.trail import Trail

STRIDE = 8  # memory is padded to a multiple of this many positions: few shapes, little waste


class Slots:
    """Guests of one beam width, seated densely: places 0..G-1; who leaves is replaced by the last."""

    def __init__(self, width: int, capacity: int) -> None:
        self.width, self.capacity, self.count, self.positions = width, capacity, 0, 0
        self.guests: list[Sequence] = []
        self.memory: dict[str, np.ndarray] = {}
        self.states: list[np.ndarray] = []  # (R, width), the rows that `rows` points into
        self.lengths = np.zeros(capacity, np.int64)
        self.mask = np.zeros((capacity, 0), bool)
        self.tokens = np.full((capacity, width), BOS, np.int64)
        self.rows = np.zeros((capacity, width), np.int64)
        self.scores = np.full((capacity, width), DEAD, np.float32)
        self.steps = np.zeros(capacity, np.int64)
        self.limits = np.zeros(capacity, np.int64)
        self.beams = np.zeros(capacity, np.int64)
        self.penalties = np.zeros(capacity, np.float32)
        self.bars = np.zeros(capacity, np.float32)  # what the guest's best unfinished hypothesis must beat
        self.deadlines = np.full(capacity, np.inf)  # time.monotonic() seconds
        self.wants = np.zeros(capacity, bool)  # whether the guest wants attention
        self.prefix = np.full((capacity, 0), PAD, np.int64)
        self.prefixed = np.zeros(capacity, np.int64)
        self.trail = Trail(capacity, width)

    def room(self) -> int:
        """Free places."""
        return self.capacity - self.count

    def seat(
        self, guests: list[Sequence], memory: Mapping[str, np.ndarray], states: list[np.ndarray], lengths: np.ndarray
    ) -> None:
        """Seat newcomers: memory (n, S', …) and states (n, width) by guest, lengths (n,) true positions."""
        start, end = self.count, self.count + len(guests)
        self._widen(memory, int(lengths.max()))
        for name, values in memory.items():
            kept = min(values.shape[1], self.positions)
            self.memory[name][start:end, :kept] = values[:, :kept]
            self.memory[name][start:end, kept:] = 0
        self.lengths[start:end] = lengths
        self.mask[start:end] = np.arange(self.positions) < lengths[:, None]
        base = len(self.states[0]) if self.states else 0
        self.states = [np.concatenate(pair) for pair in zip(self.states, states, strict=True)] if base else states
        self.rows[start:end] = base + np.arange(len(guests))[:, None]
        self.tokens[start:end] = BOS
        self.scores[start:end] = np.where(np.arange(self.width) == 0, np.float32(0), np.float32(DEAD))
        self.steps[start:end], self.bars[start:end] = 0, -np.inf
        options = [guest.job.options for guest in guests]
        self.beams[start:end] = [one.beam_size for one in options]
        self.penalties[start:end] = [one.length_penalty for one in options]
        self.limits[start:end] = [one.max_length for one in options]
        self.deadlines[start:end] = [np.inf if one.deadline is None else one.deadline for one in options]
        self.wants[start:end] = [one.attention for one in options]
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
            fresh = np.zeros((self.capacity, positions, *values.shape[2:]), values.dtype)
            if name in self.memory:
                fresh[: self.count, :kept] = self.memory[name][: self.count, :kept]
            self.memory[name] = fresh
        mask = np.zeros((self.capacity, positions), bool)
        mask[: self.count, :kept] = self.mask[: self.count, :kept]
        self.mask, self.positions = mask, positions

    def feeds(self, names: list[str]) -> dict[str, np.ndarray]:
        """The step graph's inputs for the guests seated; names are those of the state tensors."""
        seated = slice(0, self.count)
        return {
            "token": self.tokens[seated],
            "rows": self.rows[seated],
            "scores": self.scores[seated],
            "forced": np.broadcast_to(self._forced()[1][:, None], (self.count, self.width)).copy(),
            "candidates": np.array([candidates_wanted(self.width)], np.int64),
            "mask": self.mask[seated],
            **{name: values[seated] for name, values in self.memory.items()},
            **dict(zip(names, self.states, strict=True)),
        }

    def _forced(self) -> tuple[np.ndarray, np.ndarray]:
        """Which guests are inside their prefix (G,), and the piece each must take (G,), PAD for the others."""
        steps = self.steps[: self.count]
        forced = steps < self.prefixed[: self.count]
        if not forced.any():
            return forced, np.full(self.count, PAD, np.int64)
        column = np.minimum(steps, self.prefix.shape[1] - 1)
        return forced, np.where(forced, self.prefix[np.arange(self.count), column], PAD)

    def wants_attention(self) -> bool:
        """Whether anybody seated asked for it."""
        return bool(self.wants[: self.count].any())

    def advance(self, out: Mapping[str, np.ndarray], states: list[str], kept: list[str]) -> list[int]:
        """Take in a step's outputs; returns the places whose guests are finished.

        A guest is finished when its best unfinished hypothesis, scored at its present length, does not
        beat its n-th best finished one; when it has come to its length limit; or when no beam is alive.

        states and kept are names: of state tensors, and of the outputs kept for each token.
        """
        n, width = self.count, self.width
        candidates = Candidates(out["scores_out"], out["tokens_out"], out["parents_out"])
        forced, tokens = self._forced()
        candidates = force(candidates, forced, tokens, out["forced_out"][:, 0])
        if width == 1:
            candidates = _with_a_spare(candidates)
        choice = choose(candidates, self.beams[:n], width)
        self.trail.write(self.steps[:n], choice, {name: out[name] for name in kept if name in out})
        self.states = [out[f"{name}_out"].reshape(n * width, -1) for name in states]
        self.rows[:n] = np.arange(n)[:, None] * width + choice.parents
        self.tokens[:n], self.scores[:n] = choice.tokens, choice.scores
        self._end(choice)
        self.steps[:n] += 1
        alive = self.scores[:n].max(1)
        best = alive / self.steps[:n] ** self.penalties[:n]
        over = (best <= self.bars[:n]) | (self.steps[:n] >= self.limits[:n]) | (alive < ALIVE)
        places = [int(place) for place in np.nonzero(over)[0]]
        for place in places:
            self._cut(place)
        return places

    def _end(self, choice: Choice) -> None:
        """Hand every hypothesis that ended in this step to its guest."""
        for place, parent, total in zip(choice.ended, choice.ended_parents, choice.ended_scores, strict=True):
            guest = self.guests[place]
            step, length = int(self.steps[place]), int(self.lengths[place])
            guest.finish(self.trail.ended(guest, int(place), length, step, int(parent), float(total)))
            self.bars[place] = guest.bar()

    def _cut(self, place: int) -> None:
        """Fill up what a finished guest still lacks with its best unfinished hypotheses."""
        guest = self.guests[place]
        for beam in range(int(self.beams[place])):
            if len(guest.finished) >= guest.job.options.n_best or self.scores[place, beam] < ALIVE:
                break
            step, length = int(self.steps[place]) - 1, int(self.lengths[place])
            guest.finish(self.trail.cut(guest, place, length, step, beam))

    def leave(self, place: int) -> Sequence:
        """Free a place: the last guest moves there."""
        guest, last = self.guests[place], self.count - 1
        if place != last:
            for values in (*self.memory.values(), *self._columns()):
                values[place] = values[last]
            self.trail.move(last, place, int(self.steps[last]))
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
            self.beams, self.penalties, self.bars, self.deadlines, self.wants, self.prefix, self.prefixed,
        )  # fmt: skip


def _with_a_spare(candidates: Candidates) -> Candidates:
    """Greedy search asks for one candidate; where it is EOS nothing goes on, so a dead one is put behind it."""
    return Candidates(
        np.pad(candidates.scores, ((0, 0), (0, 1)), constant_values=DEAD),
        np.pad(candidates.tokens, ((0, 0), (0, 1)), constant_values=PAD),
        np.pad(candidates.parents, ((0, 0), (0, 1))),
    )
