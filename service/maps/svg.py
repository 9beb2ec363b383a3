"""Answers as image/svg+xml: one file, no outside resources, every user's character escaped.

Knows nothing of layout: it writes down the marks of a scene.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from PIL import Image

from service.maps.colours import PAPER
from service.maps.scene import Box, Line, Mark, Photo, Words
from service.maps.sheet import sheet
from service.maps.view import View, clean

FONTS = "Roboto, system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


def render(views: Sequence[View]) -> bytes:
    """The SVG file."""
    scene = sheet(views)
    width, height = f"{scene.width:.0f}", f"{scene.height:.0f}"
    title = escape(clean(views[0].answer if views else ""))
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONTS}" role="img">',
        f'<title>{title}</title><rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *written(scene.marks),
        "</svg>\n",
    ]
    return "\n".join(parts).encode()


def data_uri(image: Image.Image) -> str:
    """An RGB picture as JPEG, a veil as PNG, in a `data:` address."""
    kind, options = ("JPEG", {"quality": 82}) if image.mode == "RGB" else ("PNG", {"compress_level": 6})
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def written(marks: Iterable[Mark]) -> Iterator[str]:
    """The marks as SVG elements."""
    known: dict[tuple[int, float, float], str] = {}
    for plain, run in groupby(marks, _is_plain):
        if plain:
            yield from _paths([mark for mark in run if isinstance(mark, Box)])
        else:
            yield from (_mark(mark, known) for mark in run)


def _is_plain(mark: Mark) -> bool:
    return isinstance(mark, Box) and not mark.tip and mark.line == "none" and mark.opacity == 1


def _paths(boxes: list[Box]) -> Iterator[str]:
    """One path a colour: what makes 40,000 cells fit into a small file."""
    by_fill: dict[str, list[str]] = {}
    for box in boxes:
        line = f"M{_n(box.x)} {_n(box.y)}h{_n(box.width)}v{_n(box.height)}h-{_n(box.width)}z"
        by_fill.setdefault(box.fill, []).append(line)
    return (f'<path fill="{fill}" d="{"".join(lines)}"/>' for fill, lines in by_fill.items())


def _mark(mark: Mark, known: dict[tuple[int, float, float], str]) -> str:
    if isinstance(mark, Box):
        return _box(mark)
    if isinstance(mark, Words):
        return _words(mark)
    if isinstance(mark, Line):
        way = f"M{_n(mark.x)} {_n(mark.y)}l{_n(mark.across)} {_n(mark.down)}"
        return f'<path d="{way}" stroke="{mark.colour}" fill="none"/>'
    return _photo(mark, known)


def _box(box: Box) -> str:
    frame = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    look = f'fill="{box.fill}"'
    look += f' stroke="{box.line}"' if box.line != "none" else ""
    look += f' opacity="{_n(box.opacity)}"' if box.opacity != 1 else ""
    tip = f"<title>{escape(clean(box.tip))}</title>" if box.tip else ""
    return f"<rect {frame} {look}>{tip}</rect>"


def _words(words: Words) -> str:
    place = f'x="{_n(words.x)}" y="{_n(words.y)}"'
    place += f' transform="rotate(-45 {_n(words.x)} {_n(words.y)})"' if words.slanted else ""
    place += f' text-anchor="{words.anchor}"' if words.anchor != "start" else ""
    return f'<text {place} font-size="{_n(words.size)}" fill="{words.fill}">{escape(clean(words.text))}</text>'


def _photo(photo: Photo, known: dict[tuple[int, float, float], str]) -> str:
    """A picture shown again is not carried again."""
    key, at = (id(photo.image), photo.width, photo.height), f'x="{_n(photo.x)}" y="{_n(photo.y)}"'
    size = f'width="{_n(photo.width)}" height="{_n(photo.height)}" preserveAspectRatio="none"'
    if photo.image.mode == "RGBA":
        return f'<image {at} {size} href="{data_uri(photo.image)}"/>'
    defined = ""
    if key not in known:
        known[key] = f"photo-{len(known)}"
        defined = f'<defs><image id="{known[key]}" {size} href={quoteattr(data_uri(photo.image))}/></defs>'
    return f'{defined}<use {at} href="#{known[key]}"/>'


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
