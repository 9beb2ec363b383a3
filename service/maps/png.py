"""Answers as image/png, drawn with Pillow alone: no system fonts, no browser.

Knows nothing of layout: it draws the marks of a scene. Scripts beyond Latin, Greek and Cyrillic come out as boxes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from math import sqrt

from PIL import Image, ImageDraw

from service.maps.colours import PAPER
from service.maps.lettering import font
from service.maps.scene import Box, Line, Mark, Photo, Scene, Words
from service.maps.sheet import sheet
from service.maps.view import View, clean

SHARP = 2.0  # pixels drawn for one CSS pixel
MOST_PIXELS = 16_000_000  # a larger sheet is drawn at a smaller scale
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def render(views: Sequence[View]) -> bytes:
    """The PNG file."""
    scene = sheet(views)
    scale = min(SHARP, sqrt(MOST_PIXELS / (scene.width * scene.height)))
    file = io.BytesIO()
    painted(scene, scale, (scene.width, scene.height)).save(file, "PNG", compress_level=6)
    return file.getvalue()


def painted(scene: Scene, scale: float, size: tuple[float, float]) -> Image.Image:
    """The marks of a scene on a page of that size, so many pixels for one CSS pixel."""
    page = Image.new("RGB", (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), PAPER)
    paint(page, scene.marks, scale)
    return page


def paint(page: Image.Image, marks: Iterable[Mark], scale: float) -> None:
    """Draw marks, in their order, on a page."""
    for mark in marks:
        _draw(page, mark, scale)


def _draw(page: Image.Image, mark: Mark, scale: float) -> None:
    if isinstance(mark, Photo):
        _photo(page, mark, scale)
    elif isinstance(mark, Box):
        _box(page, mark, scale)
    elif isinstance(mark, Line):
        ends = (mark.x, mark.y, mark.x + mark.across, mark.y + mark.down)
        ImageDraw.Draw(page).line([end * scale for end in ends], mark.colour, max(1, round(scale)))
    elif mark.slanted:
        _slanted(page, mark, scale)
    else:
        lettered = font(max(1.0, mark.size * scale))
        place = (mark.x * scale, mark.y * scale)
        ImageDraw.Draw(page).text(place, clean(mark.text), mark.fill, lettered, ANCHORS[mark.anchor])


def _frame(mark: Box | Photo, scale: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels, at least one wide and high."""
    left, top = round(mark.x * scale), round(mark.y * scale)
    right, bottom = round((mark.x + mark.width) * scale), round((mark.y + mark.height) * scale)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _photo(page: Image.Image, photo: Photo, scale: float) -> None:
    left, top, right, bottom = _frame(photo, scale)
    veiled = photo.image.mode == "RGBA"
    smooth = Image.Resampling.BICUBIC if veiled else Image.Resampling.LANCZOS
    sized = photo.image.resize((right - left, bottom - top), smooth)
    page.paste(sized, (left, top), sized if veiled else None)


def _box(page: Image.Image, box: Box, scale: float) -> None:
    left, top, right, bottom = _frame(box, scale)
    if box.fill != "none" and box.opacity == 1:
        ImageDraw.Draw(page).rectangle((left, top, right - 1, bottom - 1), box.fill)
    elif box.fill != "none":
        shade = Image.new("L", (right - left, bottom - top), round(255 * box.opacity))
        page.paste(box.fill, (left, top), shade)
    if box.line != "none":
        ImageDraw.Draw(page).rectangle((left, top, right - 1, bottom - 1), outline=box.line, width=round(scale) or 1)


def _slanted(page: Image.Image, words: Words, scale: float) -> None:
    """Text turned about its start: drawn from the middle of a square mask, which is then turned."""
    lettered, text = font(max(1.0, words.size * scale)), clean(words.text)
    reach = round(lettered.getlength(text) + 2 * words.size * scale)
    mask = Image.new("L", (2 * reach, 2 * reach))
    ImageDraw.Draw(mask).text((reach, reach), text, 255, lettered, "ls")
    turned = mask.rotate(45, Image.Resampling.BICUBIC)
    page.paste(words.fill, (round(words.x * scale) - reach, round(words.y * scale) - reach), turned)
