"""Which memory positions the steps of a guest may look at: its input's, without what it masked, or what it pinned.

Knows nothing of sessions or of tables. All rows of a guest are at the same step, so one row of positions a guest is
enough; the step graph's mask stays what it is, and who pins nothing pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from service.messages import Options


def allowed(length: int, positions: int, options: Options) -> np.ndarray:
    """What any step may look at (positions,): true positions that are not masked; masked ones beyond them are none."""
    looks = np.arange(positions) < length
    looks[[place for place in options.mask if place < length]] = False
    return looks


def pinned(looks: np.ndarray, everybody: Iterable[Options], steps: Sequence[int] | np.ndarray) -> np.ndarray:
    """Looks (G, S), those replaced that a guest pinned at its own step (G,)."""
    turned = looks.copy()
    for place, (options, step) in enumerate(zip(everybody, steps, strict=True)):
        for at, positions in options.pin:
            if at == step:
                turned[place] = False
                turned[place, list(positions)] = True
    return turned


def over_time(length: int, options: Options, steps: int) -> np.ndarray:
    """What each of a guest's steps may look at (T, S)."""
    looks = np.repeat(allowed(length, length, options)[None], steps, 0)
    return pinned(looks, [options] * steps, range(steps))
