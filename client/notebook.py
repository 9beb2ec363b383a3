"""Maps as HTML that a notebook shows: a table of coloured cells, or a picture lit where each word looked.

Knows nothing of servers. One self-contained fragment, no scripts; whatever came from outside is escaped.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .maps import AttentionMap, GridKeys, TextKeys

MOST_ROWS, MOST_COLUMNS, MOST_PANELS = 100, 100, 40
INK = "12,84,150"
SIDE = 160  # pixels of a panel's longer side
FONT = "font:13px/1.4 sans-serif"
MEDIA = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"GI": "image/gif", b"RI": "image/webp"}


def titled(text: str) -> str:
    """A heading."""
    return f'<div style="{FONT};font-weight:bold;margin-top:.8em">{escape(text)}</div>'


def result(text: str, maps: Sequence[AttentionMap], picture: bytes | None) -> str:
    """A result: what it says, and each of its maps."""
    head = f'<div style="{FONT};margin:.4em 0"><bdi>{escape(text)}</bdi></div>'
    return head + "".join(drawn(one, picture) for one in maps)


def drawn(map_: AttentionMap, picture: bytes | None = None) -> str:
    """One map."""
    keys = map_.keys
    if keys.type == "grid":
        return "".join(_panels(map_, keys, picture))
    return "".join(_table(map_, keys))


def _table(map_: AttentionMap, keys: TextKeys) -> Iterator[str]:
    """A row for each word of the answer, a column for each of the source."""
    cell = "padding:2px 5px;border:1px solid rgba(128,128,128,.25);text-align:center"
    columns = keys.items[:MOST_COLUMNS]
    yield f'<table style="{FONT};border-collapse:collapse;margin:.4em 0"><tr><th></th>'
    yield from (f'<th style="{cell};font-weight:normal"><bdi>{escape(one.text)}</bdi></th>' for one in columns)
    yield "</tr>"
    for query, row in zip(map_.queries[:MOST_ROWS], map_.rows, strict=False):
        sure = "" if query.confidence is None else f' title="confidence {query.confidence:.2f}"'
        yield f'<tr><th style="{cell};text-align:right;font-weight:normal"{sure}><bdi>{escape(query.text)}</bdi></th>'
        for weight in row[: len(columns)]:
            light = "color:#fff;" if weight > 0.6 else ""
            yield f'<td style="{cell};{light}background:rgba({INK},{_part(weight)})">{weight:.2f}</td>'
        yield "</tr>"
    yield "</table>"
    left = [max(0, len(map_.queries) - MOST_ROWS), max(0, len(keys.items) - MOST_COLUMNS)]
    if any(left):
        yield f'<div style="{FONT}">not drawn: {left[0]} more rows, {left[1]} more columns</div>'


def _panels(map_: AttentionMap, keys: GridKeys, picture: bytes | None) -> Iterator[str]:
    """A small picture for each word, dark where the word did not look."""
    width, height = keys.image.width, keys.image.height
    scale = SIDE / max(width, height)
    name = f"heed-{uuid.uuid4().hex}"
    ground = _ground(keys, picture)
    yield f'<svg width="0" height="0" style="position:absolute"><defs><g id="{name}">{ground}</g></defs></svg>'
    yield f'<div style="{FONT};display:flex;flex-wrap:wrap;gap:8px">'
    for query, row in zip(map_.queries[:MOST_PANELS], map_.rows, strict=False):
        yield f'<div><svg width="{width * scale:.0f}" height="{height * scale:.0f}" viewBox="0 0 {width} {height}">'
        yield f'<use href="#{name}"/>{"".join(_cells(keys, row))}</svg><div><bdi>{escape(query.text)}</bdi></div></div>'
    yield "</div>"
    if len(map_.queries) > MOST_PANELS:
        yield f'<div style="{FONT}">not drawn: {len(map_.queries) - MOST_PANELS} more words</div>'


def _ground(keys: GridKeys, picture: bytes | None) -> str:
    """The picture, or a plain ground where there is none."""
    size = f'width="{keys.image.width}" height="{keys.image.height}"'
    if picture is None:
        return f'<rect {size} fill="#f4f0e0"/>'
    media = MEDIA.get(picture[:2], "image/jpeg")
    code = base64.b64encode(picture).decode()
    return f'<image {size} preserveAspectRatio="none" href="data:{media};base64,{code}"/>'


def _cells(keys: GridKeys, row: Sequence[float]) -> Iterator[str]:
    """A shade over each cell; the brightest cell of a word has none."""
    left, top, right, bottom = keys.crop
    wide, high = (right - left) / keys.cols, (bottom - top) / keys.rows
    most = max(row, default=0) or 1
    for i, weight in enumerate(row):
        x, y = left + i % keys.cols * wide, top + i // keys.cols * high
        shade = _part(0.8 * (1 - weight / most))
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill-opacity="{shade}"/>'


def _part(value: float) -> str:
    return f"{min(max(value, 0.0), 1.0):.3f}"
