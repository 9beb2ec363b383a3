"""Answers as image/webp or image/gif that move: the answer grows word by word, and its map with it.

Knows nothing of how marks are painted. One picture an item of the answer, on one canvas; several answers follow one
another.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

from service.maps.colours import FAINT, INK
from service.maps.envelope import AttentionMap, GridKeys
from service.maps.film import embedded, fine_print, lit, night, panel_size
from service.maps.lettering import shortened, width, wrapped
from service.maps.matrix import matrix
from service.maps.png import paint, painted
from service.maps.scene import Mark, Photo, Scene, Words, hatched
from service.maps.view import View, bounded, drawable, summary

MARGIN, NARROWEST, WIDEST = 20, 420, 900
STAGE = 420  # the longer side of a picture
WORD_MS, LAST_MS = 600, 3000  # how long a word is shown, and the end
SHARP = 1.5
MOST_FRAMES = 60
MOST_PIXELS = 10_000_000  # of all frames together; more are drawn smaller


class Step(NamedTuple):
    """What a picture adds for good to those before it, and what is on it alone."""

    stays: list[Mark]
    passes: list[Mark]


def render(views: Sequence[View], kind: str = "WEBP") -> bytes:
    """The file; kind is Pillow's name of the format."""
    films: list[tuple[Scene, list[Step]]] = []
    left = MOST_FRAMES
    for view in drawable(views)[0]:
        films.append(_steps(view, left))
        left -= len(films[-1][1])
        if left <= 0:
            break
    across, down = (max((getattr(one, side) for one, _ in films), default=1) for side in ("width", "height"))
    frames = sum(len(steps) for _, steps in films)
    scale = min(SHARP, sqrt(MOST_PIXELS / max(across * down * frames, 1)))
    pages, times = [], []
    for _, steps in films:
        page = painted(Scene(), scale, (across, down))
        for step in steps:
            paint(page, step.stays, scale)
            pages.append(page.copy())
            paint(pages[-1], step.passes, scale)
        times += [WORD_MS] * (len(steps) - 1) + [LAST_MS]
    how: dict[str, Any] = {"quality": 80, "method": 0} if kind == "WEBP" else {"optimize": False}
    file = io.BytesIO()
    first, *others = pages or [painted(Scene(), 1, (1, 1))]
    first.save(file, kind, save_all=True, append_images=others, duration=times or LAST_MS, loop=0, **how)
    return file.getvalue()


def _steps(view: View, most: int) -> tuple[Scene, list[Step]]:
    """The size of an answer's pictures, and its pictures: one an item of the answer; one where there is no map."""
    map_ = None if view.map is None else bounded(view.map)[0]
    if map_ is None or not map_.queries:
        page = _page(view, view.answer, Scene())
        return page, [Step([], page.marks)]
    steps: list[Step] = []
    there: set[Mark] = set()
    for said in range(1, len(map_.queries) + 1)[:most]:
        last = said == len(map_.queries)
        text = view.answer if last else view.answer[: map_.queries[said - 1].end]
        if isinstance(map_.keys, GridKeys):
            always, body = _stage(map_, map_.keys, view, said)
            page = _page(view, text, body)
            steps.append(Step([] if steps else _page(view, "", always).marks, page.marks))
        else:
            drawn = matrix(map_, map_.keys, said)
            page, under = _page(view, text, Scene(drawn.width, drawn.height)), _page(view, "", drawn)
            steps.append(Step([mark for mark in under.marks if mark not in there], page.marks))
            there.update(under.marks)
    return page, steps


def _page(view: View, said: str, body: Scene) -> Scene:
    """What was said so far over its map; the whole answer's room is kept from the start."""
    most = min(max(body.width, NARROWEST), WIDEST)
    scene, y = Scene(), MARGIN + 12.0
    if said:
        scene.add(Words(MARGIN, y, shortened(summary(view), 12, most), 12, FAINT))
    for i, line in enumerate(wrapped(said, 21, most, 4) if said else []):
        scene.add(Words(MARGIN, y + 30 + 29 * i, line, 21, INK))
    y += 29 * len(wrapped(view.answer, 21, most, 4)) + 10
    for line in wrapped(view.source, 14, most, 2) if view.source else []:
        y += 20
        if said:
            scene.add(Words(MARGIN, y, line, 14, FAINT))
    scene.place(body, MARGIN, round(y + 14))
    scene.grow(most + 2 * MARGIN, scene.height + MARGIN)
    return scene


def _stage(map_: AttentionMap, grid: GridKeys, view: View, said: int) -> tuple[Scene, Scene]:
    """The picture; and its light where the word looked that is being said."""
    always, scene, q = Scene(), Scene(), said - 1
    across, down = panel_size(grid, STAGE)
    for one in (always, scene):
        one.grow(across, down + 32)
    if q == 0:
        always.add(Photo(0, 0, across, down, embedded(view.picture, grid)), *night(grid, across, down))
    scene.add(lit(map_, q, grid, across, down))
    word = shortened(map_.queries[q].text or "·", 17, across)
    if map_.trust is not None and q in map_.trust.undecided():
        scene.add(*hatched(0, down + 4, across, 26))
    scene.add(Words(0, down + 22, word, 17, INK))
    scene.add(Words(width(word, 17) + 12, down + 22, fine_print(map_, q), 12, FAINT))
    return always, scene
