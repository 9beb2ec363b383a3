"""One sequential scale for every drawing: pale to deep blue, growing steadily darker, so safe for colour-blind eyes.

Knows nothing of maps or formats. A dark page runs from night to pale instead, growing steadily lighter.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LEVELS = 20  # steps of the scale where classes or groups stand for colours
LIGHT = np.array([(244, 246, 249), (188, 216, 230), (97, 166, 200), (35, 103, 160), (16, 38, 88)], np.float64)
DARK = np.array([(27, 31, 40), (24, 66, 110), (36, 122, 172), (118, 190, 219), (232, 245, 250)], np.float64)

PAPER, INK, FAINT, LINE = "#ffffff", "#1c2330", "#667085", "#d5dae1"
HATCH = "#b4501e"  # lines over rows that did not decide their words; seen on pale and on dark cells
NIGHT = (8, 12, 22)  # what dims the unseen parts of a picture


def rgb(weights: np.ndarray, anchors: np.ndarray = LIGHT) -> np.ndarray:
    """(…) weights from 0 to 1 → (…, 3) uint8."""
    place = np.clip(np.nan_to_num(weights), 0, 1) * (len(anchors) - 1)
    low = np.minimum(place.astype(int), len(anchors) - 2)
    part = (place - low)[..., None]
    mixed: np.ndarray = anchors[low] * (1 - part) + anchors[low + 1] * part
    return mixed.round().astype(np.uint8)


def hexed(weight: float, anchors: np.ndarray = LIGHT) -> str:
    """A weight from 0 to 1 as `#rrggbb`."""
    return "#" + bytes(rgb(np.asarray(weight), anchors).tolist()).hex()


@lru_cache(maxsize=4 * LEVELS)
def step(number: int) -> str:
    """The colour of one of the scale's steps."""
    return hexed(number / LEVELS)


def level(weight: float) -> int:
    """The nearest of the scale's 0 to LEVELS steps."""
    return round(min(max(weight, 0.0), 1.0) * LEVELS)


def is_dark(colour: str) -> bool:
    """Whether white is easier to read on it than ink (ITU-R BT.601 luma)."""
    red, green, blue = bytes.fromhex(colour[1:])
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140
