"""Hard alignment: which source word each word of the answer looked at most.

Knows nothing of texts: it reads a map's weights and items, in whatever unit their offsets are counted.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from service.maps.envelope import AttentionMap, Item, Shape, TextKeys


class Alignment(Shape):
    """The same links in two notations, sorted by source, then target."""

    proj: str = Field(description="`0:4-0:1 6:13-2:3`: inclusive character ranges, source first")
    pharaoh: str = Field(description="`0-0 1-2`: word numbers, source first")


def align(map_: AttentionMap) -> Alignment:
    """The strongest link of each word of the answer.

    Raises:
        ValueError: the keys are not text.
    """
    found = links(map_)
    source, target = _items(map_), map_.queries
    return Alignment(
        proj=" ".join(f"{source[s].start}:{source[s].end - 1}-{target[t].start}:{target[t].end - 1}" for s, t in found),
        pharaoh=" ".join(f"{s}-{t}" for s, t in found),
    )


def links(map_: AttentionMap) -> list[tuple[int, int]]:
    """(source, target) positions; a word that looked most at `</s>`, or has no characters itself, has no link."""
    source, target = _items(map_), map_.queries
    best = np.argmax(map_.array(), axis=1).tolist() if target else []
    return sorted(
        (s, t) for t, s in enumerate(best) if source[s].start < source[s].end and target[t].start < target[t].end
    )


def _items(map_: AttentionMap) -> list[Item]:
    if not isinstance(map_.keys, TextKeys):
        raise ValueError("only a map over a text has an alignment")
    return map_.keys.items
