"""Answers as text/html: a standalone page that fetches nothing; hover a word and its counterparts light up.

Knows nothing of layout in pixels: the browser lays out. Its policy (in a meta element) allows its own style and script
by digest and nothing else, so no attribute here carries a style and no user's character can become code.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from math import exp
from pathlib import Path

from service.maps.colours import DARK, LEVELS, LIGHT, hexed, is_dark, level
from service.maps.envelope import AttentionMap, GridKeys, Item, TextKeys
from service.maps.film import LONGEST, NOTE, crop_box, embedded, fine_print, frame, lit, night, panel_size, whole
from service.maps.matrix import HATCHED
from service.maps.scene import Photo
from service.maps.svg import data_uri, written
from service.maps.view import View, bounded, clean, drawable, summary

ASSETS = Path(__file__).with_name("assets")
SCALE_NOTE = (
    "The stronger a cell, the larger the share of the context that came from there; right: the word's probability."
)


def render(views: Sequence[View]) -> bytes:
    """The page."""
    chosen, note = drawable(views)
    articles = [f"<article>{''.join(_article(view, i))}</article>" for i, view in enumerate(chosen)]
    if note:
        articles.append(f'<p class="small">{note}</p>')
    title = _safe(views[0].answer if views else "")
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style>"
    )
    body = f"<main>{''.join(articles)}</main><script>{SCRIPT}</script>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'.encode()


def _levels() -> str:
    """One class a step of the scale, for pale pages and for dark ones."""
    pale, dark = (
        "".join(f".w{i}{{background:{colour};color:{'#fff' if is_dark(colour) else '#1c2330'}}}" for i, colour in steps)
        for steps in ([(i, hexed(i / LEVELS, anchors)) for i in range(LEVELS + 1)] for anchors in (LIGHT, DARK))
    )
    return f"{pale}@media (prefers-color-scheme:dark){{{dark}}}"


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


STYLE = (ASSETS / "page.css").read_text("utf-8") + _levels()
SCRIPT = (ASSETS / "page.js").read_text("utf-8")
STYLE_DIGEST, SCRIPT_DIGEST = _digest(STYLE), _digest(SCRIPT)
POLICY = (
    f"default-src 'none'; img-src data:; style-src {STYLE_DIGEST}; script-src {SCRIPT_DIGEST}; "
    "base-uri 'none'; form-action 'none'"
)


def _article(view: View, number: int) -> Iterator[str]:
    yield f'<p class="small">{_safe(summary(view))}</p>'
    map_, note = (None, "") if view.map is None else bounded(view.map)
    yield f'<h2 dir="auto">{_sentence(view.answer, map_.queries if map_ else [], "t")}</h2>'
    keys = map_.keys if map_ else None
    if view.source:
        items = keys.items if isinstance(keys, TextKeys) else []
        yield f'<p class="source" dir="auto">{_sentence(view.source, items, "s")}</p>'
    if note:
        yield f'<p class="small">{_safe(note)}</p>'
    if map_ and map_.queries:
        yield from _film(map_, map_.keys, view, number) if isinstance(map_.keys, GridKeys) else _table(map_, map_.keys)


def _sentence(text: str, items: Sequence[Item], side: str) -> str:
    """The text as it is, each item in a span that can be pointed at; a stretch two items share is the first one's."""
    parts, at = [], 0
    for item in items:
        if at <= item.start < item.end:
            parts.append(_safe(text[at : item.start]))
            word = _safe(text[item.start : item.end])
            parts.append(f'<span class="word" tabindex="0" data-{side}="{item.i}">{word}</span>')
            at = item.end
    return "".join([*parts, _safe(text[at:])])


def _table(map_: AttentionMap, keys: TextKeys) -> Iterator[str]:
    longer = max(map_.weights.shape)
    size = "roomy" if longer <= 28 else "middling" if longer <= 60 else "tiny"
    yield f'<div class="scroll"><table class="{size}"><caption>{SCALE_NOTE}</caption><thead><tr><td></td>'
    for item in keys.items:
        yield f'<th scope="col"{_end(item)}><span>{_safe(item.text or "·")}</span></th>'
    yield "</tr></thead><tbody>"
    for i, (query, row) in enumerate(zip(map_.queries, map_.weights.tolist(), strict=True)):
        yield f'<tr{_hatch(map_, i)}><th scope="row">{_safe(query.text or "·")}{_aloud(map_, i)}</th>'
        yield "".join(f'<td class="w{level(w)}"><span class="hidden">{w:.3f}</span></td>' for w in row)
        yield "" if query.logprob is None else f'<td class="sure">{100 * exp(min(query.logprob, 0)):.0f} %</td>'
        yield "</tr>"
    yield "</tbody></table></div>"
    yield _hatch_note(map_)


def _undecided(map_: AttentionMap, row: int) -> bool:
    return map_.trust is not None and row in map_.trust.undecided()


def _hatch(map_: AttentionMap, row: int) -> str:
    return ' class="undecided"' if _undecided(map_, row) else ""


def _aloud(map_: AttentionMap, row: int) -> str:
    """What a screen reader says instead of the hatching."""
    return '<span class="hidden"> (not decided by this map)</span>' if _undecided(map_, row) else ""


def _hatch_note(map_: AttentionMap) -> str:
    return f'<p class="small">{HATCHED}</p>' if map_.trust is not None and map_.trust.undecided() else ""


def _end(item: Item) -> str:
    return ' class="end"' if item.start == item.end else ""


def _film(map_: AttentionMap, grid: GridKeys, view: View, number: int) -> Iterator[str]:
    """A stage that shows the picture once, then one small panel a word, which shows the same picture by reference."""
    across, down = panel_size(grid, LONGEST)
    box, photo = f'viewBox="0 0 {across:.0f} {down:.0f}"', Photo(0, 0, across, down, embedded(view.picture, grid))
    dark = "".join(written(night(grid, across, down)))
    outline = "" if whole(grid) else "".join(written([frame(grid, across, down)]))
    yield (
        f'<svg class="stage" {box} role="img" aria-label="the picture">{_image(photo, f"photo-{number}")}'
        f'<g class="frame">{outline}</g><g class="over">{dark}</g>{_stage_veil(grid, across, down)}</svg>'
        '<div class="film">'
    )
    for q, query in enumerate(map_.queries):
        veil, place = "".join(written([lit(map_, q, grid, across, down)])), _safe(_place(map_, q, grid))
        yield (
            f'<figure tabindex="0" data-t="{query.i}"{_hatch(map_, q)}><svg {box} role="img" aria-label="{place}">'
            f'<use href="#photo-{number}"/>{dark}{veil}</svg>'
            f"<figcaption>{_safe(query.text or '·')}{_aloud(map_, q)}"
            f"<small>{fine_print(map_, q)}</small></figcaption></figure>"
        )
    yield f'</div><p class="small">{NOTE}</p>{_hatch_note(map_)}'


def _image(photo: Photo, name: str) -> str:
    size = f'width="{photo.width:.2f}" height="{photo.height:.2f}" preserveAspectRatio="none"'
    return f'<image id="{name}" {size} href="{data_uri(photo.image)}"/>'


def _stage_veil(grid: GridKeys, across: int, down: int) -> str:
    x, y, wide, high = crop_box(grid, across, down)
    place = f'x="{x:.2f}" y="{y:.2f}" width="{wide:.2f}" height="{high:.2f}"'
    return f'<image class="over" {place} preserveAspectRatio="none"/>'


def _place(map_: AttentionMap, q: int, grid: GridKeys) -> str:
    """What a screen reader says instead of the light."""
    row, col = divmod(int(map_.weights[q].argmax()), grid.cols)
    share = 100 * float(map_.weights[q].max())
    place = f"row {row + 1} of {grid.rows}, column {col + 1} of {grid.cols}"
    return f"{map_.queries[q].text}: brightest at {place}, {share:.1f} %"


def _safe(text: str) -> str:
    return escape(clean(text))
