"""Hard alignment: which source word each word of the answer looked at most.

Knows nothing of texts: it reads a map's weights and items, in whatever unit their offsets are counted.
"""

from __future__ import annotations

import re
from functools import partial

import numpy as np
from pydantic import Field, PrivateAttr

from service.maps.envelope import AttentionMap, Item, Shape, TextKeys


class Alignment(Shape):
    """The same links in two notations, sorted by source, then target."""

    proj: str = Field(description="`0:4-0:1 6:13-2:3`: inclusive character ranges, source first")
    pharaoh: str = Field(description="`0-0 1-2`: word numbers, source first")
    _words: tuple[int, int] = PrivateAttr((0, 0))

    @property
    def words(self) -> tuple[int, int]:
        """How many words there are of each side, linked or not."""
        return self._words


def align(map_: AttentionMap) -> Alignment:
    """The strongest link of each word of the answer.

    Raises:
        ValueError: the keys are not text.
    """
    found = links(map_)
    source, target = _items(map_), map_.queries
    aligned = Alignment(
        proj=" ".join(f"{source[s].start}:{source[s].end - 1}-{target[t].start}:{target[t].end - 1}" for s, t in found),
        pharaoh=" ".join(f"{s}-{t}" for s, t in found),
    )
    aligned._words = (len(source) - 1, len(target))
    return aligned


def moved(alignment: Alignment, characters: tuple[int, int], words: tuple[int, int]) -> Alignment:
    """The links of a sentence as those of texts in which so much stands before it and its answer (source, target)."""
    proj = re.sub(r"(\d+):(\d+)-(\d+):(\d+)", partial(_ranges, characters), alignment.proj)
    pharaoh = re.sub(r"(\d+)-(\d+)", partial(_numbers, words), alignment.pharaoh)
    return Alignment(proj=proj, pharaoh=pharaoh)


def _ranges(by: tuple[int, int], link: re.Match[str]) -> str:
    first, last, begin, end = map(int, link.groups())
    return f"{first + by[0]}:{last + by[0]}-{begin + by[1]}:{end + by[1]}"


def _numbers(by: tuple[int, int], link: re.Match[str]) -> str:
    return f"{int(link[1]) + by[0]}-{int(link[2]) + by[1]}"


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
