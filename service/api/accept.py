"""Content negotiation: which of the formats there are does an Accept header like best (RFC 9110 §12.5.1).

Knows nothing of what the formats are.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.errors import NotAcceptable

MOST_RANGES = 32  # browsers send about eight


def choose(header: str | None, there: Sequence[str]) -> str:
    """The media type to answer with; among equals the first of those there are.

    Raises:
        NotAcceptable: none is acceptable; the message lists what there is.
    """
    if not header or not header.strip():
        return there[0]
    ranges = [_parsed(part) for part in header.split(",")[:MOST_RANGES]]
    best = max(there, key=lambda media: _quality(media, ranges))  # max keeps the first of equals
    if _quality(best, ranges) <= 0:
        raise NotAcceptable(f"Answers come as {', '.join(there)}.")
    return best


def _parsed(part: str) -> tuple[str, float]:
    """A media range and its q; a q that is no number counts as 0."""
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return media, 0.0
            return media, min(quality, 1.0) if quality >= 0 else 0.0
    return media, 1.0


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The q of the most specific range that covers a media type; 0 if none does."""
    for wanted in (media, f"{media.split('/', maxsplit=1)[0]}/*", "*/*"):
        found = [quality for range_, quality in ranges if range_ == wanted]
        if found:
            return max(found)
    return 0.0
