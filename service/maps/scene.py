"""A drawing as a list of marks, which SVG and PNG both draw, so that they cannot look different.

Knows nothing of maps or formats. Units are CSS pixels, from the upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from PIL.Image import Image

from service.maps.colours import HATCH


@dataclass(frozen=True)
class Box:
    """A rectangle; `tip` is what a pointer resting on it reads. Opaque ones without an outline must not overlap."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    line: str = "none"
    opacity: float = 1.0
    tip: str = ""


@dataclass(frozen=True)
class Words:
    """One line of text on a baseline; a `slanted` one starts at (x, y) and climbs to the right at 45°."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: Literal["start", "middle", "end"] = "start"
    slanted: bool = False


@dataclass(frozen=True)
class Photo:
    """A picture stretched over a rectangle: RGB ones are opaque, RGBA ones are veils."""

    x: float
    y: float
    width: float
    height: float
    image: Image


@dataclass(frozen=True)
class Line:
    """A thin line from (x, y) to a place so far from it."""

    x: float
    y: float
    across: float
    down: float
    colour: str


Mark = Box | Words | Photo | Line


def hatched(x: float, y: float, width: float, height: float, gap: float = 11.0) -> list[Line]:
    """Lines at 45° that fill a rectangle and stay inside of it: over a row that did not decide its word."""
    offsets = [gap * i for i in range(1, int((width + height) / gap) + 1)]
    ends = [(max(0.0, o - height), min(o, height), min(o, width), max(0.0, o - width)) for o in offsets]
    return [Line(x + left, y + low, right - left, high - low, HATCH) for left, low, right, high in ends]


@dataclass
class Scene:
    """Marks in drawing order, and the size they need."""

    width: float = 0.0
    height: float = 0.0
    marks: list[Mark] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        self.marks.extend(marks)

    def grow(self, width: float, height: float) -> None:
        """Make sure that a point is inside."""
        self.width, self.height = max(self.width, width), max(self.height, height)

    def place(self, other: Scene, x: float, y: float) -> None:
        """Put another scene into this one, its upper left corner at (x, y)."""
        self.add(*(replace(mark, x=mark.x + x, y=mark.y + y) for mark in other.marks))
        self.grow(x + other.width, y + other.height)
