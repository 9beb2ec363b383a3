"""Tags in an answer: each element around the words that look at what it was around, nested as it was.

Knows nothing of engines and of any language of tags. What is written is the tree of the source, each child within its
parent and beside its siblings, so it is as well formed as the source was, wherever the map says that words came from.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from bundle.text import Piece, has_words
from service.maps.words import items_of
from service.markup.place import Placed
from service.markup.protect import Masked


class Crossed(Exception):
    """Spans that were kept stand so that an element cannot be around those, and only those, that it was around."""


MOST = 0.5  # a word belongs to an element if more than that of its row lies on what the element was around


@dataclass
class _Node:
    """An element, or a tag alone: what it was around in what the model read, `text[start:end]`."""

    start: int
    end: int = 0
    opens: str = ""
    closes: str = ""
    tight: bool = False
    children: list[_Node] = field(default_factory=list)


@dataclass(frozen=True)
class _Word:
    start: int
    end: int
    looks: np.ndarray  # (S,)
    slot: int | None = None  # where what it is stood, in what the model read


def tagged(masked: Masked, source: Sequence[Piece], placed: Placed, looks: np.ndarray | None) -> Placed:
    """The answer with the source's tags; source: the pieces of what the model read (S); looks: (T, S).

    Raises:
        Crossed: see there; not if the slots stand in their order.
    """
    if not masked.marks:
        return placed
    slots = {place: masked.slots[slot].at for slot, place in placed.at.items() if slot >= 0}
    words = _words(source, placed, looks, slots)
    return _with(placed, _Writer(placed.text, masked.text, source, words).written(_tree(masked)))


def _words(source: Sequence[Piece], placed: Placed, looks: np.ndarray | None, slots: Mapping[int, int]) -> list[_Word]:
    """The answer's words and what each looks at; without rows, the piece that is as far into the source."""
    found = []
    for group in items_of(placed.pieces, "word"):
        start, end = placed.pieces[group[0]].start, max(placed.pieces[i].end for i in group)
        slot = next((slots[at] for at in range(start, end) if at in slots), None)
        if slot is None and not has_words(placed.text[start:end]):
            continue
        if looks is None:
            row = np.zeros(len(source) + 1, np.float32)
            row[min(len(source), int((start + end) / 2 / max(1, len(placed.text)) * len(source)))] = 1
        else:
            row = looks[group].mean(0)
        found.append(_Word(start, end, row, slot))
    return found


def _tree(masked: Masked) -> _Node:
    """The marks as a tree. One never closed lasts to the end; one that is only closed began with it."""
    root = _Node(0, len(masked.text))
    path = [root]
    for mark in (one for one in masked.marks if one.kind != "spelled"):
        if mark.kind == "open":
            node = _Node(mark.at, len(masked.text), opens=mark.says)
            path[-1].children.append(node)
            path.append(node)
        elif mark.kind == "point":
            path[-1].children.append(_Node(mark.at, mark.at, opens=mark.says, tight=mark.to > mark.at))
        elif len(path) > 1:
            node = path.pop()
            node.end, node.closes = mark.at, mark.says
        else:
            root.children = [_Node(0, mark.at, closes=mark.says, children=root.children)]
    return root


class _Inside(NamedTuple):
    """A node whose children go into words[first:last], the answer's characters from start to end."""

    node: _Node
    first: int
    last: int
    start: int
    end: int


class _Writer:
    def __init__(self, answer: str, text: str, source: Sequence[Piece], words: Sequence[_Word]) -> None:
        self.answer, self.text, self.words = answer, text, words
        self.begins = [piece.start for piece in source]
        self.looks = np.array([word.looks for word in words])
        self.slots = [(k, word.slot) for k, word in enumerate(words) if word.slot is not None]
        self.seen = [i for i, character in enumerate(text) if not character.isspace()]
        self.said = max((i for i in self.seen if has_words(text[i])), default=-1)  # the last letter

    def written(self, root: _Node) -> list[tuple[int, int, str]]:
        """The tags of all nodes: from where to where in the answer, what; in order."""
        put: list[tuple[int, int, str]] = []
        todo: list[_Inside | tuple[int, int, str]] = [_Inside(root, 0, len(self.words), 0, len(self.answer))]
        while todo:
            one = todo.pop()
            if isinstance(one, _Inside):
                todo += reversed(self._within(one))
            else:
                put.append(one)
        return put

    def _within(self, here: _Inside) -> list[_Inside | tuple[int, int, str]]:
        """What to write of a node's children, and where theirs go."""
        node, at = here.node, here.start
        free = [True] * len(self.words) if node.children else []
        ranges = []
        for child in sorted(node.children, key=lambda child: not self._slots(child)):
            low, high = self._range(child, here.first, here.last, free)
            free[low:high] = [False] * (high - low)
            ranges.append((low, high, child))
        out: list[_Inside | tuple[int, int, str]] = []
        for low, high, child in sorted(ranges, key=lambda one: (one[0], one[1], one[2].start)):
            begins, ends = self._place(child, node, low, high, at, here.end)
            space = child.tight and begins > at and self.answer[begins - 1] == " "
            out.append((begins - space, begins, child.opens))
            out.append(_Inside(child, low, high, begins, ends))
            out.append((ends, ends, child.closes))
            at = ends
        return out

    def _place(self, child: _Node, node: _Node, low: int, high: int, at: int, end: int) -> tuple[int, int]:
        """Where a child over words[low:high] begins and ends, not before `at`, not behind `end`."""
        all_before, all_behind = self._blank(node.start, child.start), self._blank(child.end, node.end)
        begins, ends = self._edge(low, end), self.words[high - 1].end if high > low else 0
        if all_before and all_behind and len(node.children) == 1:
            begins, ends = at, end
        elif all_behind and child.start == child.end and low >= len(self.words):
            begins = end
        begins = min(max(begins, at), end)
        return begins, min(max(ends, begins), end)

    def _blank(self, start: int, end: int) -> bool:
        """Whether nothing is seen of this part of what the model read."""
        return bisect_left(self.seen, start) >= bisect_left(self.seen, end)

    def _edge(self, word: int, end: int) -> int:
        if word < len(self.words):
            return self.words[word].start
        return self.words[-1].end if self.words else end

    def _range(self, child: _Node, first: int, last: int, free: list[bool]) -> tuple[int, int]:
        """The words that came from a child: the run that looks at it most, or a place between words."""
        own = bisect_left(self.begins, child.start), bisect_left(self.begins, child.end)
        slots = self._slots(child)
        if own[0] >= own[1] and not slots:
            return self._gap(child, first, last)
        mass = self._mass(own, first, last, free)
        if slots:
            return self._around(slots, first, last, mass, free)
        runs = list(_runs([one > MOST for one in mass]))
        if runs:
            low, high = max(runs, key=lambda run: sum(mass[run[0] : run[1]]))
            return first + low, first + high
        if mass and max(mass) > 1 - 2 * MOST + 0.1:
            best = first + int(np.argmax(mass))
            return best, best + 1
        return self._gap(child, first, last)

    def _mass(self, own: tuple[int, int], first: int, last: int, free: list[bool]) -> list[float]:
        """How much of each word's row lies on these pieces, of words[first:last]; nothing, if it is kept or taken."""
        if first == last:
            return []
        sums = self.looks[first:last, own[0] : own[1]].sum(1).tolist()
        return [one if free[k] and self.words[k].slot is None else 0.0 for k, one in enumerate(sums, first)]

    def _slots(self, child: _Node) -> set[int]:
        """The words that are kept spans which the child was around."""
        return {k for k, slot in self.slots if child.start <= slot < child.end}

    def _around(self, slots: set[int], first: int, last: int, mass: list[float], free: list[bool]) -> tuple[int, int]:
        """The words from the first to the last of these, and those beside them that came from the child, too."""
        low, high = min(slots), max(slots) + 1
        strangers = any(self.words[k].slot is not None and k not in slots for k in range(low, high))
        if strangers or low < first or high > last or not all(free[low:high]):
            raise Crossed
        while low > first and free[low - 1] and mass[low - 1 - first] > MOST:
            low -= 1
        while high < last and free[high] and mass[high - first] > MOST:
            high += 1
        return low, high

    def _gap(self, child: _Node, first: int, last: int) -> tuple[int, int]:
        """Between which words a child without words of its own stands: before what came from what follows it."""
        if first == last or self._blank(0, child.start):
            return first, first
        behind = bisect_left(self.begins, child.start)
        if behind == len(self.begins) or self.said < child.start:
            return last, last
        best = first + int(np.argmax(self.looks[first:last, behind]))
        return best, best


def _runs(wanted: Sequence[bool]) -> list[tuple[int, int]]:
    """Where runs of true begin and end."""
    edges = np.flatnonzero(np.diff([0, *map(int, wanted), 0]))
    return [(int(low), int(high)) for low, high in edges.reshape(-1, 2)]


def _with(placed: Placed, put: Sequence[tuple[int, int, str]]) -> Placed:
    """The answer with tags put in, which belong to no piece; a space may go for one."""
    out, last = [], 0
    ends = [end for _, end, _ in put]
    grown = list(accumulate((len(says) + start - end for start, end, says in put), initial=0))  # by so many of them
    for start, end, says in put:
        out += [placed.text[last:start], says]
        last = end
    moved = []
    for piece in placed.pieces:
        before = grown[first := bisect_right(ends, piece.start)]
        inner = grown[max(first, bisect_left(ends, piece.end))] - before
        moved.append(replace(piece, start=piece.start + before, end=piece.end + before + inner))
    return Placed("".join([*out, placed.text[last:]]), moved, placed.added, placed.at)
