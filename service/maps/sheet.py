"""Answers on one sheet: each with its title, its text, and below it the drawing of its map.

Knows nothing of formats: what it lays out, SVG and PNG both draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from service.maps.colours import FAINT, INK, LINE
from service.maps.envelope import GridKeys
from service.maps.film import film
from service.maps.lettering import wrapped
from service.maps.matrix import matrix
from service.maps.scene import Box, Scene, Words
from service.maps.view import View, bounded, drawable, summary

MARGIN, BETWEEN = 28, 44
NARROWEST, WIDEST = 460, 900  # of a heading's lines


def sheet(views: Sequence[View]) -> Scene:
    """Everything drawn of these answers."""
    scene, y = Scene(), MARGIN
    chosen, note = drawable(views)
    for i, view in enumerate(chosen):
        if i:
            scene.add(Box(MARGIN, y - BETWEEN / 2, NARROWEST, 1, LINE))
        part = _part(view)
        scene.place(part, MARGIN, y)
        y = ceil(y + part.height + BETWEEN)
    if note:
        scene.add(Words(MARGIN, y, note, 12, FAINT))
        scene.grow(0, y)
    scene.grow(scene.width + MARGIN, scene.height + MARGIN)
    return scene


def _part(view: View) -> Scene:
    body, note = _body(view)
    most = min(max(body.width, NARROWEST), WIDEST)
    scene, y = Scene(width=most), 12.0
    lines = [(summary(view), 12, FAINT, 1), (view.answer, 21, INK, 6)]
    lines += [(view.source, 14, FAINT, 4)] if view.source else []
    lines += [(note, 12, FAINT, 1)] if note else []
    for text, size, fill, most_lines in lines:
        for line in wrapped(text, size, most, most_lines):
            scene.add(Words(0, y + size * 0.8, line, size, fill))
            y += size * 1.4
    scene.grow(0, y)
    if body.marks:
        scene.place(body, 0, ceil(y + 14))  # whole pixels, or seams would show in pictures
    return scene


def _body(view: View) -> tuple[Scene, str]:
    if view.map is None or not view.map.queries:
        return Scene(), ""
    map_, note = bounded(view.map)
    if isinstance(map_.keys, GridKeys):
        return film(map_, map_.keys, view.picture), note
    return matrix(map_, map_.keys), note
