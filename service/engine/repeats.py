"""No answer says the same thing over and over: which candidates would go on with a loop.

Knows nothing of sessions or of choosing. Nets of attention fall into loops now and then (Holtzman et al. 2020, §1;
„Tex“-Tex“-Tex“ until the limit of length), and a search finds nothing better once it is in one. A run of M pieces may
be said `most` times in a row, or as often as the guest's own source says one, and is not begun once more.

Axes: G guests seated (of `capacity`), W rows a guest, C candidates, M periods 1..LONGEST.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import replace

import numpy as np

from service.engine.search import ALIVE, DEAD, Candidates, Choice
from service.engine.sequence import Sequence

USUAL = 3  # times in a row, as the setting max_repeats has it unless told otherwise
LONGEST = 8  # pieces of what may be repeated; a longer loop is rare, and ends at the limit of length
PERIODS = np.arange(1, LONGEST + 1)
NOTHING = -1  # no piece


class Repeats:
    """For each row its last pieces, and for each period how many pieces in a row equal the one a period before."""

    def __init__(self, capacity: int, width: int, most: int) -> None:
        """most: times in a row that something may be said."""
        self.width, self.most = width, most
        self.last = np.full((capacity, width, LONGEST), NOTHING, np.int64)  # the last piece first
        self.runs = np.zeros((capacity, width, LONGEST), np.int64)

    def clear(self, start: int, end: int) -> None:
        """Forget whoever sat at these places."""
        self.last[start:end], self.runs[start:end] = NOTHING, 0

    def move(self, source: int, target: int) -> None:
        """Move a guest to another place."""
        self.last[target], self.runs[target] = self.last[source], self.runs[source]

    def _followed(self, parents: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The last pieces of each parent (G, n), and the runs (G, n, M) when each says its token (G, n)."""
        places = np.arange(len(parents))[:, None]
        last = self.last[places, parents]
        return last, (self.runs[places, parents] + 1) * (last == tokens[:, :, None])

    def without(self, candidates: Candidates, guests: Many[Sequence]) -> Candidates:
        """The candidates, those dead that would say something once too often; all where no other is left."""
        if not (self.runs[: len(guests)].max((0, 1)) >= PERIODS * (self.most - 1)).any():
            return candidates  # nobody is near it
        _, runs = self._followed(candidates.parents, candidates.tokens)
        loops = np.asarray((runs > PERIODS * (self.most - 1)).any(2))
        if not loops.any():
            return candidates
        for place in np.nonzero(loops.any(1))[0].tolist():
            said = copies(guests[place].job.inputs.get("source"))
            if said > self.most:
                loops[place] = (runs[place] > PERIODS * (said - 1)).any(1)
        left = ~loops & (candidates.scores > ALIVE)
        loops &= left.any(1, keepdims=True)
        return replace(candidates, scores=np.where(loops, np.float32(DEAD), candidates.scores))

    def turn(self, choice: Choice) -> None:
        """Follow the beams."""
        guests = len(choice.parents)
        last, self.runs[:guests] = self._followed(choice.parents, choice.tokens)
        self.last[:guests, :, 1:] = last[:, :, :-1]
        self.last[:guests, :, 0] = choice.tokens


def copies(source: np.ndarray | None) -> int:
    """How many times in a row a source (S,) says something of up to LONGEST pieces; 0 for a picture."""
    if source is None:
        return 0
    most = 1
    for period in PERIODS.tolist():
        run = 0
        for same in (source[period:] == source[:-period]).tolist():
            run = run + 1 if same else 0
            most = max(most, run // period + 1)
    return most
