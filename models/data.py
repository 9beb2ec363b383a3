"""Parallel text from disk: packed files, tab-separated files, held-back sentences, length-bucketed batches.

Knows nothing of nets or of what the numbers mean; see `models/tasks/translation.py`.
"""

from __future__ import annotations

import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from bundle.text import PAD

Part = Literal["train", "dev", "test"]
LONGEST = 80  # pieces a side, with the one that ends it; longer pairs are left out of training
HELD_BACK = 50  # of a corpus without a split, one English sentence in so many is never trained on


class Pair(NamedTuple):
    """One line of parallel text."""

    source: str
    target: str


def lines(path: Path) -> list[str]:
    """The stripped lines of an xz file, split on LF alone so that parallel files stay aligned."""
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [line.replace("\u00a0", " ").strip() for line in file.read().removesuffix("\n").split("\n")]


def aligned(prefix: Path, source: str, target: str) -> list[Pair]:
    """The pairs of `{prefix}.{source}.xz` and `{prefix}.{target}.xz`, where neither side is empty.

    Raises:
        ValueError: the files have different numbers of lines.
    """
    left, right = (lines(prefix.with_name(f"{prefix.name}.{language}.xz")) for language in (source, target))
    if len(left) != len(right):
        raise ValueError(f"{prefix}: {len(left)} lines of {source}, {len(right)} of {target}")
    return [Pair(a, b) for a, b in zip(left, right, strict=True) if a and b]


def held_back(english: str) -> bool:
    """Whether a sentence of a corpus without a split belongs to its test set: by the English, never by the line."""
    return zlib.crc32(english.encode()) % HELD_BACK == 0


def judged(english: str) -> bool:
    """Whether a sentence is kept for choosing among checkpoints: one in four hundred, none of the test set's."""
    return zlib.crc32(english.encode()) % (8 * HELD_BACK) == 1


def tabbed(path: Path, *, english_is_source: bool = True, part: Part = "train") -> list[Pair]:
    """The pairs of an `English<TAB>other` file: those to train on, to judge by, or the held-back part.

    Such files are sorted by length; the last two parts are not, so that their first so many are a fair sample.
    """
    rows = [line.split("\t")[:2] for line in lines(path) if "\t" in line]
    kept = [(english, other) for english, other in rows if english and other and part_of(english) == part]
    if part != "train":
        kept.sort(key=lambda row: zlib.crc32(row[0][::-1].encode()))
    return [Pair(a, b) if english_is_source else Pair(b, a) for a, b in kept]


def part_of(english: str) -> Part:
    """Which part of a corpus without a split an English sentence belongs to."""
    return "test" if held_back(english) else "dev" if judged(english) else "train"


def worn(pairs: Sequence[Pair], share: float, random: np.random.Generator) -> list[Pair]:
    """Copies of some pairs as hurried people write them: all capitals, all small, or without the full stop.

    Capitals and the missing stop are on both sides; a source in small letters keeps its proper translation.
    """
    chosen = np.flatnonzero(random.random(len(pairs)) < share)
    manners = random.choice(len(MANNERS), len(chosen), p=[share for share, _ in MANNERS])
    return [MANNERS[manner][1](pairs[i]) for i, manner in zip(chosen.tolist(), manners.tolist(), strict=True)]


MANNERS: list[tuple[float, Callable[[Pair], Pair]]] = [
    (0.5, lambda pair: Pair(pair.source.rstrip(".!?"), pair.target.rstrip(".!?"))),
    (0.25, lambda pair: Pair(pair.source.lower().rstrip("."), pair.target)),
    (0.25, lambda pair: Pair(pair.source.upper(), pair.target.upper())),
]


def signs(pairs: Sequence[Pair], number: int, random: np.random.Generator) -> list[Pair]:
    """Copies of pairs that quote a sign on both sides, with other words on the sign: what is quoted is to be copied.

    The words are the sources' own, one to three of them, in capitals half of the time. A net that has seen two hundred
    signs of captions otherwise learns some by heart, and says them without end where it reads another one.
    Nothing is made where no pair quotes.
    """
    quoting = [pair for pair in pairs if all(len(QUOTED.findall(text)) == 1 for text in pair)]
    if not quoting:
        return []
    words = sorted({word for pair in pairs for word in pair.source.split() if word.isalpha()})
    made = []
    for i in random.integers(len(quoting), size=number):
        some = " ".join(str(word) for word in random.choice(words, random.integers(1, 4)))
        sign = some.upper() if random.random() < 0.5 else some
        made.append(Pair(*(QUOTED.sub(lambda found: found[1] + sign + found[3], text) for text in quoting[i])))  # noqa: B023
    return made


QUOTED = re.compile('(["„“«] ?)([^"„“”«»]+)( ?["“”»])')


def bucketed(lengths: np.ndarray, cells: int, random: np.random.Generator, most: int = 1024) -> Iterator[np.ndarray]:
    """Cut examples into batches of at most `cells` padded positions a side, in random order.

    lengths (N, 2): source and target length of each example. Examples of like length share a batch;
    ties are broken at random, so that batches differ from epoch to epoch.
    """
    order = np.lexsort((random.random(len(lengths)), lengths[:, 0], lengths[:, 1]))
    batches, start = [], 0
    while start < len(order):
        end, longest = start + 1, lengths[order[start]].max()
        while end < len(order) and end - start < most:
            longest = max(longest, lengths[order[end]].max())
            if (end - start + 1) * longest > cells:
                break
            end += 1
        batches.append(order[start:end])
        start = end
    for i in random.permutation(len(batches)):
        yield batches[i]


def padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Ids of unequal lengths as one int64 array (N, longest), PAD on the right."""
    out = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
    for row, ids in zip(out, rows, strict=True):
        row[: len(ids)] = ids
    return out
