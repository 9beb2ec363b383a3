"""One answer as the renderers see it: its texts, its map, its picture.

Knows nothing of formats, tasks or HTTP.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from PIL.Image import Image

from service.maps.envelope import AttentionMap, GridKeys, TextKeys

MOST_VIEWS, MOST_CELLS = 32, 100_000  # drawn of one request; the rest is counted in a note
MOST_WORDS = 200  # drawn of each side of a text map
MOST_PANELS = 60  # words drawn over a picture
TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")  # the line around


@dataclass(frozen=True)
class View:
    """`picture` is as it was sent, upright, at any scale; `map` counts in code points, as it does when made."""

    title: str
    answer: str
    score: float | None = None
    source: str | None = None
    map: AttentionMap | None = None
    picture: Image | None = None

    def __post_init__(self) -> None:
        if self.map is not None and self.map.offsets != "codepoint":
            raise ValueError(f"drawn maps count in code points, this one in {self.map.offsets}")


def drawable(views: Sequence[View]) -> tuple[list[View], str]:
    """The first answers, as many as one file should hold, and a note that counts the others (or is empty)."""
    chosen: list[View] = []
    cells = 0
    for view in views[:MOST_VIEWS]:
        cells += 0 if view.map is None else bounded(view.map)[0].weights.size
        if chosen and cells > MOST_CELLS:
            break
        chosen.append(view)
    left_out = len(views) - len(chosen)
    return chosen, f"not drawn: {left_out} more answers" if left_out else ""


def bounded(map_: AttentionMap) -> tuple[AttentionMap, str]:
    """What of a map is drawn, and a note that says what is not (empty if nothing is left out)."""
    rows = MOST_PANELS if isinstance(map_.keys, GridKeys) else MOST_WORDS
    cols = map_.weights.shape[1] if isinstance(map_.keys, GridKeys) else MOST_WORDS
    lost = [max(0, size - most) for size, most in zip(map_.weights.shape, (rows, cols), strict=True)]
    if not any(lost):
        return map_, ""
    keys = map_.keys if isinstance(map_.keys, GridKeys) else TextKeys(items=map_.keys.items[:cols])
    changes = {
        "queries": map_.queries[:rows],
        "keys": keys,
        "weights": map_.weights[:rows, :cols],
        "gate": map_.gate and map_.gate[:rows],
        "window": map_.window and map_.window[:rows],
        "sampled": map_.sampled and map_.sampled[:rows],
        "trust": map_.trust and map_.trust.first(rows, cols),
    }
    sides = [f"{n} more {side} words" for n, side in zip(lost, ("answer", "source"), strict=True) if n]
    return map_.model_copy(update=changes), f"not drawn: {', '.join(sides)}"


def clean(text: str) -> str:
    """One line that cannot steer a terminal or turn the line around: control characters become spaces or `�`."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    code, category = ord(character), unicodedata.category(character)
    if character.isspace() or category in ("Zl", "Zp"):
        return " "
    forbidden = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # no characters at all, and no XML
    return "\ufffd" if category in ("Cc", "Cs") or forbidden or character in TURNING else character


def summary(view: View) -> str:
    """The small print under an answer."""
    score = "" if view.score is None else f" · score {view.score:.2f}"
    return clean(view.title) + score
