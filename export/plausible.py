"""Whether a text that a model wrote is fit to be learned from. Knows nothing of who wrote it, or which side it is."""

from __future__ import annotations

import re

from models.data import Pair

LOOP = re.compile(r"(.{3,30}?)\1{2,}")  # the same again and again: what a search falls into when a net is lost
QUOTED = re.compile("[„“«]([^„“”«»]+)[“”»]")


def invents(pair: Pair) -> bool:
    """Whether the target quotes what its source does not say: captions keep the words of signs as they are."""
    return any(quote.strip(" .,!?").lower() not in pair.source.lower() for quote in QUOTED.findall(pair.target))


def plausible(pair: Pair) -> bool:
    """Whether neither side is more than twice as long as the other, with a few letters of leave, and neither loops."""
    short, long = sorted(map(len, pair))
    return bool(short) and long <= 2 * short + 12 and not any(LOOP.search(text) for text in pair)
