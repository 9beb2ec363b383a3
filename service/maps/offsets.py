"""Offsets of a map in the unit a client counts in: code points, UTF-16 units (JavaScript, Java, C#) or UTF-8 bytes.

Knows nothing of how the map came to be: it moves `start` and `end`, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import TypeVar

from service.maps.envelope import AttentionMap, Item, OffsetUnit, TextKeys

Labelled = TypeVar("Labelled", bound=Item)
WIDTHS: dict[OffsetUnit, Callable[[str], int]] = {
    "codepoint": lambda _: 1,
    "utf16": lambda character: 1 + (ord(character) > 0xFFFF),
    "utf8": lambda character: len(character.encode("utf-8", "surrogatepass")),  # JSON may carry half a pair
}


def counted(map_: AttentionMap, unit: OffsetUnit, *, answer: str, source: str | None = None) -> AttentionMap:
    """The map with every offset counted in another unit; answer and source are the texts that the items lie in.

    Raises:
        ValueError: the map is not in code points, or has text keys and no source was given.
    """
    if map_.offsets != "codepoint":
        raise ValueError(f"offsets are in {map_.offsets} already")
    if isinstance(map_.keys, TextKeys) and source is None:
        raise ValueError("text keys need the source text")
    if unit == "codepoint":
        return map_
    changes: dict[str, object] = {"offsets": unit, "queries": _moved(map_.queries, answer, unit)}
    if isinstance(map_.keys, TextKeys) and source is not None:
        changes["keys"] = counted_keys(map_.keys, unit, source)
    return map_.model_copy(update=changes)


def counted_keys(keys: TextKeys, unit: OffsetUnit, source: str) -> TextKeys:
    """Keys in code points of this text, counted in another unit."""
    return TextKeys(items=_moved(keys.items, source, unit))


def width(text: str, unit: OffsetUnit) -> int:
    """How long a text is in that unit."""
    return len(text) if unit == "codepoint" else sum(map(WIDTHS[unit], text))


def moved(map_: AttentionMap, source: int, answer: int) -> AttentionMap:
    """The map of a sentence as one of the texts that it and its answer lie in, so far from their beginnings."""
    changes: dict[str, object] = {"queries": _shifted(map_.queries, answer)}
    if isinstance(map_.keys, TextKeys):
        changes["keys"] = moved_keys(map_.keys, source)
    return map_.model_copy(update=changes)


def moved_keys(keys: TextKeys, source: int) -> TextKeys:
    """The keys of a sentence as those of the text that it lies in, so far from its beginning."""
    return TextKeys(items=_shifted(keys.items, source))


def _shifted(items: list[Labelled], by: int) -> list[Labelled]:
    return [item.model_copy(update={"start": by + item.start, "end": by + item.end}) for item in items]


def places(text: str, unit: OffsetUnit) -> list[int]:
    """Where each code point starts in that unit, and at the end the length of the whole: len(text) + 1 numbers."""
    return list(accumulate(map(WIDTHS[unit], text), initial=0))


def _moved(items: list[Labelled], text: str, unit: OffsetUnit) -> list[Labelled]:
    at = places(text, unit)
    return [item.model_copy(update={"start": at[item.start], "end": at[item.end]}) for item in items]
