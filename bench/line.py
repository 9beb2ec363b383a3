"""What changes over time as one SVG, drawn by hand, both axes from zero.

Pure: points in, text out.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from bench.plot import BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Curve

TICKS = 5
FONT = 'font-family="sans-serif" font-size="13"'


def lines(curves: Mapping[str, Curve], *, title: str) -> str:
    """An SVG of curves (seconds, value) by name.

    Raises:
        ValueError: there is no point to draw.
    """
    every = [one for curve in curves.values() for one in curve]
    if not every:
        raise ValueError("no point to draw")
    across, up = max(x for x, _ in every) or 1.0, 1.1 * max(y for _, y in every) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (WIDTH - RIGHT - LEFT) * x / across, HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * y / up

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>',
    ]
    for tick in range(TICKS + 1):
        x, y = place(across * tick / TICKS, up * tick / TICKS)
        low, left = place(0, 0)[1], place(0, 0)[0]
        parts.append(f'<path d="M{left:.1f} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{low + 18:.1f}" text-anchor="middle">{across * tick / TICKS:.0f} s</text>')
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{up * tick / TICKS:.0f}</text>')
    for i, (name, curve) in enumerate(curves.items()):
        points = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in curve)
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{LEFT + 12}" y="{TOP + 18 + 18 * i}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
