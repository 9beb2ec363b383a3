"""A text map as a drawing: source words across, answer words down, the darker the more of the context came from there.

Knows nothing of formats, pictures or pages.
"""

from __future__ import annotations

from math import exp, sqrt

from service.maps.colours import FAINT, INK, LEVELS, level, step
from service.maps.envelope import AttentionMap, Item, TextKeys
from service.maps.lettering import shortened, width
from service.maps.scene import Box, Scene, Words, hatched

ROOM = 780  # what the longer side of the matrix takes, if its cells may be that small
CELL = (6.0, 32.0)  # smallest and largest cell
LABEL = 150  # a longer word is cut
MOST_TIPS = 10_000  # more cells carry no tooltips
HATCHED = "hatched: the map did not decide this word; it stays the same under other attention"
TILTED = sqrt(0.5)


def matrix(map_: AttentionMap, keys: TextKeys, said: int | None = None) -> Scene:
    """The drawing of a map over these keys of its; said: only so many of its rows, the others' room stays empty."""
    cols, queries = keys.items, map_.queries
    cell = min(max(ROOM / max(len(cols), len(queries), 1), CELL[0]), CELL[1])
    size = min(15.0, cell * 0.78)
    left = max((_long(item, size) for item in queries), default=0) + 10
    top = (max((_long(item, size) for item in cols), default=0) + size) * TILTED + 8
    scene = Scene()
    for i, item in enumerate(cols):
        x = left + _column(cols, i, cell) + cell / 2
        label = Words(x + size * 0.2, top - 6, _label(item, size), size, _shade(item), slanted=True)
        scene.add(label)
        scene.grow(x + (_long(item, size) + size) * TILTED, 0)
    for i, item in enumerate(queries[:said]):
        baseline = top + (i + 0.5) * cell + size * 0.35
        scene.add(Words(left - 8, baseline, _label(item, size), size, INK, "end"))
    scene.add(*_cells(map_, cols, left, top, cell, said))
    right = left + _column(cols, len(cols), cell)
    undecided = [] if map_.trust is None else map_.trust.undecided()
    for i in undecided:
        if said is None or i < said:
            scene.add(*hatched(left, top + i * cell, right - left - 1.5, cell - 1.5))
    scene.grow(right, top + len(queries) * cell)
    _sureness(scene, map_, right + 8, top, cell, said)
    _legend(scene, left, scene.height + 16)
    if undecided:
        scene.add(Words(left, scene.height + 14, HATCHED, 11, FAINT))
        scene.grow(left + width(HATCHED, 11), scene.height + 20)
    return scene


def _cells(map_: AttentionMap, cols: list[Item], left: float, top: float, cell: float, said: int | None) -> list[Box]:
    gap = 1.5 if cell >= 12 else 0
    tips = map_.weights.size <= MOST_TIPS
    boxes = []
    for t, row in enumerate(map_.weights[:said].tolist()):
        for s, weight in enumerate(row):
            tip = f"{map_.queries[t].text} ← {cols[s].text}: {weight:.3f}" if tips else ""
            x, y = left + _column(cols, s, cell), top + t * cell
            boxes.append(Box(x, y, cell - gap, cell - gap, step(level(weight)), tip=tip))
    return boxes


def _column(cols: list[Item], i: int, cell: float) -> float:
    """Where a column starts: the source's end, no word of it, stands a little apart."""
    apart = 0 < i <= len(cols) and _is_end(cols[-1]) and i >= len(cols) - 1
    return i * cell + (min(6.0, cell * 0.3) if apart else 0)


def _is_end(item: Item) -> bool:
    return item.start == item.end


def _shade(item: Item) -> str:
    return FAINT if _is_end(item) else INK


def _label(item: Item, size: float) -> str:
    return shortened(item.text or "·", size, LABEL)


def _long(item: Item, size: float) -> float:
    return width(_label(item, size), size)


def _sureness(scene: Scene, map_: AttentionMap, x: float, top: float, cell: float, said: int | None) -> None:
    """How probable the model found each word, in small print beside its row."""
    if cell < 14:
        return
    for i, query in enumerate(map_.queries[:said]):
        if query.logprob is not None:
            scene.add(Words(x, top + (i + 0.5) * cell + 4, f"{100 * exp(min(query.logprob, 0)):.0f} %", 11, FAINT))
    scene.grow(x + 34, 0)


def _legend(scene: Scene, x: float, y: float) -> None:
    wide = 5
    scene.add(Words(x, y + 9, "0", 11, FAINT))
    scene.add(*(Box(x + 12 + i * wide, y, wide, 11, step(i)) for i in range(LEVELS + 1)))
    end = x + 12 + (LEVELS + 1) * wide + 6
    words = "1   share of the context that came from a source word; right: probability of the answer's word"
    scene.add(Words(end, y + 9, words, 11, FAINT))
    scene.grow(end + width(words, 11), y + 14)
