"""Curves of latency against load as one SVG, drawn by hand: what serves needs no plotting library.

Pure: points in, text out. Both axes are logarithmic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 56
COLOURS = ("#0b6e4f", "#c1440e", "#3a5a98", "#8a5a9e", "#a67c00", "#555555")  # told apart without red and green, too
Curve = Sequence[tuple[float, float]]


class Axis:
    """A logarithmic axis from pixel `start` to pixel `end`."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low, self.high = math.log10(min(values) * 0.9), math.log10(max(values) * 1.1)
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        """The pixel of a value."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times the powers of ten in between."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        found = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        return [tick for tick in found if self.low <= math.log10(tick) <= self.high]


def draw(curves: Mapping[str, Curve], *, title: str, bound: float | None = None) -> str:
    """An SVG of curves (requests a second, milliseconds) by name; `bound` is drawn as a dashed line.

    Raises:
        ValueError: there is no point to draw.
    """
    finite = {name: sorted(one for one in curve if all(map(_drawable, one))) for name, curve in curves.items()}
    every = [one for curve in finite.values() for one in curve]
    if not every:
        raise ValueError("no point to draw")
    across = Axis([x for x, _ in every], LEFT, WIDTH - RIGHT)
    up = Axis([y for _, y in every] + ([bound] if bound else []), HEIGHT - BOTTOM, TOP)
    parts = [_frame(title), *_grid(across, up)]
    if bound:
        parts.append(_line([(LEFT, up.at(bound)), (WIDTH - RIGHT, up.at(bound))], "#999999", "5 4"))
    for place, (name, curve) in enumerate(finite.items()):
        colour = COLOURS[place % len(COLOURS)]
        spots = [(across.at(x), up.at(y)) for x, y in curve]
        parts.append(_line(spots, colour))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots]
        parts.append(_text(LEFT + 12, TOP + 18 + 18 * place, name, colour=colour))
    return "\n".join([*parts, "</svg>", ""])


def _drawable(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _frame(title: str) -> str:
    size, middle = f'viewBox="0 0 {WIDTH} {HEIGHT}"', (LEFT + WIDTH) / 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            _text(LEFT, 24, title),
            _text(middle, HEIGHT - 12, "requests a second", anchor="middle"),
            _text(16, HEIGHT / 2, "ms"),
        ]
    )


def _grid(across: Axis, up: Axis) -> list[str]:
    parts = []
    for tick in across.ticks():
        x = across.at(tick)
        parts += [
            _line([(x, TOP), (x, HEIGHT - BOTTOM)], "#e4e4e4"),
            _text(x, HEIGHT - 36, f"{tick:g}", anchor="middle"),
        ]
    for tick in up.ticks():
        y = up.at(tick)
        parts += [_line([(LEFT, y), (WIDTH - RIGHT, y)], "#e4e4e4"), _text(LEFT - 6, y + 4, f"{tick:g}", anchor="end")]
    return parts


def _line(spots: Sequence[tuple[float, float]], colour: str, dashes: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"{dashed}/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
