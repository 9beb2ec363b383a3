"""Answers as text/plain: the answer on the first line, then a heat map in block characters that a terminal can show.

Knows nothing of terminals beyond one choice of the caller: ANSI colours or shades.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from service.maps.colours import DARK, rgb
from service.maps.envelope import AttentionMap, GridKeys, TextKeys
from service.maps.view import View, bounded, clean, drawable, summary

SHADES = "·░▒▓█"
STEPS = (0.05, 0.2, 0.45, 0.7)  # where one shade becomes the next
HATCH, UNDECIDED = "╱╱", "the map did not decide this word: it stays the same under other attention"
LINE = 100  # columns that a heat map may take before its layout changes
LABEL = 24  # a longer word is cut


def render(views: Sequence[View]) -> bytes:
    """The text file, in UTF-8, without colours."""
    return drawn(views).encode("utf-8", "replace")


def drawn(views: Sequence[View], ansi: bool = False) -> str:
    """The same for a terminal, coloured if it can show 24-bit colours."""
    chosen, note = drawable(views)
    parts = ["\n".join(_lines(view, ansi)) for view in chosen]
    if note:
        parts.append(note)
    return "\n\n\n".join(parts) + "\n"


def _lines(view: View, ansi: bool) -> Iterator[str]:
    yield clean(view.answer)
    if view.source:
        yield f"← {clean(view.source)}"
    yield f"  {summary(view)}"
    if view.map is None or not view.map.queries:
        return
    map_, note = bounded(view.map)
    yield ""
    if isinstance(map_.keys, GridKeys):
        yield from _panels(map_, map_.keys, ansi)
    else:
        yield from _matrix(map_, map_.keys, ansi)
    if note:
        yield note


def _matrix(map_: AttentionMap, keys: TextKeys, ansi: bool) -> Iterator[str]:
    """Each source word over its own column, or, where that is too wide, on a line of its own with a stem down to it."""
    rows, cols = [_label(query.text) for query in map_.queries], [_label(item.text) for item in keys.items]
    left = max(map(columns, rows)) + 2
    if left + sum(max(columns(col), 3) + 1 for col in cols) <= LINE:
        widths = [max(columns(col), 3) for col in cols]
        yield " " * left + " ".join(_centred(col, width) for col, width in zip(cols, widths, strict=True)).rstrip()
    else:
        widths = [1] * len(cols)
        yield from (" " * left + "│ " * i + f"┌ {col}" for i, col in enumerate(cols))
    undecided = [] if map_.trust is None else map_.trust.undecided()
    for i, (label, weights) in enumerate(zip(rows, map_.weights.tolist(), strict=True)):
        cells = " ".join(_cell(weight, width, ansi) for weight, width in zip(weights, widths, strict=True))
        hatch = f"  {HATCH}" if i in undecided else ""
        yield " " * (left - 2 - columns(label)) + label + "  " + (cells + hatch if hatch else cells.rstrip())
    if undecided:
        yield f"{HATCH} {UNDECIDED}"


def _panels(map_: AttentionMap, grid: GridKeys, ansi: bool) -> Iterator[str]:
    """A small picture of blocks for each word, several side by side, each scaled to its own brightest cell."""
    undecided = [] if map_.trust is None else map_.trust.undecided()
    panels = [
        _panel(f"{HATCH} " * (i in undecided) + _label(query.text, 12), row.reshape(grid.rows, grid.cols), ansi)
        for i, (query, row) in enumerate(zip(map_.queries, map_.weights, strict=True))
    ]
    width = max(map(columns, (line for panel in panels for line in panel)))
    across = max(1, LINE // (width + 2))
    for start in range(0, len(panels), across):
        shelf = panels[start : start + across]
        for lines in zip(*shelf, strict=True):
            yield "  ".join(lines).rstrip()
        yield ""
    yield "each panel is scaled to its brightest cell, whose share of the context stands over it"
    if undecided:
        yield f"{HATCH} {UNDECIDED}"


def _panel(label: str, cells: np.ndarray, ansi: bool) -> list[str]:
    """A heading, then lines of equal width: a character is two cells high, or on coarse grids half a cell wide."""
    fine, peak = cells.shape[1] >= 12, float(cells.max(initial=0))
    lit = cells / max(peak, 1e-12)
    heading = f"{label} {100 * peak:.0f}%"
    width = max(14, columns(heading), lit.shape[1] * (1 if fine else 2))
    body = _halves(lit, ansi) if fine else ["".join(_cell(w, 2, ansi) for w in row) for row in lit.tolist()]
    drawn_width = lit.shape[1] * (1 if fine else 2)
    return [heading + " " * (width - columns(heading)), *(line + " " * (width - drawn_width) for line in body)]


def _halves(lit: np.ndarray, ansi: bool) -> list[str]:
    """Two rows of cells a line: `▀` in two colours, or the mean of both as a shade."""
    pairs = np.concatenate([lit, np.zeros((lit.shape[0] % 2, lit.shape[1]))]).reshape(-1, 2, lit.shape[1])
    if not ansi:
        return ["".join(_cell(weight, 1, False) for weight in row) for row in pairs.mean(axis=1).tolist()]
    colours = rgb(pairs, DARK)
    return ["".join(_half(upper, lower) for upper, lower in zip(*pair, strict=True)) for pair in colours]


def _half(upper: np.ndarray, lower: np.ndarray) -> str:
    (r, g, b), (x, y, z) = upper.tolist(), lower.tolist()
    return f"\x1b[38;2;{r};{g};{b};48;2;{x};{y};{z}m▀\x1b[0m"


def _cell(weight: float, width: int, ansi: bool) -> str:
    if ansi:
        r, g, b = rgb(np.asarray(weight), DARK).tolist()
        return f"\x1b[48;2;{r};{g};{b}m{' ' * width}\x1b[0m"
    shade = SHADES[sum(weight >= step for step in STEPS)]
    return _centred(shade, width) if shade == SHADES[0] else shade * width


def _label(text: str, most: int = LABEL) -> str:
    line = clean(text).strip() or "·"
    if columns(line) <= most:
        return line
    while columns(line) >= most:
        line = line[:-1]
    return line + "…"


def _centred(text: str, width: int) -> str:
    space = width - columns(text)
    return " " * (space // 2) + text + " " * (space - space // 2)


def columns(text: str) -> int:
    """How many columns of a terminal a line takes: East Asian characters and emoji two, combining marks none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
