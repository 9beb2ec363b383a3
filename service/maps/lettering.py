"""The font that drawings are measured and drawn with: Roboto, shipped beside this file, since servers have no fonts.

Knows nothing of maps. Draws Latin, Greek and Cyrillic; a character of another script is an empty box in the PNG
(the SVG and HTML ask the reader's own fonts, and are only measured here).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

FONT = Path(__file__).with_name("assets") / "Roboto-Regular.ttf"
WIDE = 1.05  # a reader's own font may run wider than ours


@lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont:
    """The font at a size in pixels."""
    return ImageFont.truetype(str(FONT), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=2048)  # labels are measured again for every picture of an animation
def width(text: str, size: float) -> float:
    """How wide a line is drawn."""
    return font(20).getlength(text) * size / 20 * WIDE


def shortened(text: str, size: float, most: float) -> str:
    """The text, cut and ended with `…` where it is wider than `most`."""
    if width(text, size) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle] + "…", size) <= most else (low, middle - 1)
    return text[:low].rstrip() + "…"


def wrapped(text: str, size: float, most: float, lines: int) -> list[str]:
    """At most so many lines of at most that width; the last one is cut with `…`."""
    out = [""]
    words = text.split()
    for i, word in enumerate(words):
        longer = f"{out[-1]} {word}".strip()
        if width(longer, size) <= most or not out[-1]:
            out[-1] = longer
        elif len(out) < lines:
            out.append(word)
        else:
            out[-1] = " ".join([out[-1], *words[i : i + 40]])
            break
    return [shortened(line, size, most) for line in out]
