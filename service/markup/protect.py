"""Spans that a translation must keep: what the model reads in their place, and where its pieces lie in the original.

Knows nothing of engines, answers, or what the spans are.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bundle.text import Piece, has_words
from service.markup.placeholders import Kind, Span

# that any corpus has, so models copy them
NAMES = (
    "Tom",
    "Boston",
    "John",
    "Mary",
    "Anna",
    "Paris",
    "Peter",
    "Berlin",
)
PLACES = ("Boston", "Paris", "Berlin")
WHERE = re.compile(r"\b(?:in|to|from|at|near|nach|aus|bei|à|en|vers|desde|hacia)\s+$", re.IGNORECASE)
MARKS = ("open", "close", "point", "spelled")
BETWEEN = re.compile(r"[^\w.!?\n]*")  # what may stand between two spans that are kept as one


@dataclass(frozen=True)
class Slot:
    """What `original[start:end]` is to be said as, and where the model reads it: `text[at:to]`."""

    start: int
    end: int
    at: int
    to: int
    says: str
    name: str | None = None  # what stands for it, if the model does not read the span itself


@dataclass(frozen=True)
class Mark:
    """A tag or an entity, `original[start:end]`, and where it stands in what the model reads, `text[at:to]`.

    A tag takes no place there; but one that stood between two words without a space is read as a space.
    """

    start: int
    end: int
    at: int
    to: int
    says: str
    kind: Kind


@dataclass(frozen=True)
class Masked:
    """A text as the model reads it. `whole`: there is nothing in it to translate."""

    original: str
    text: str
    slots: tuple[Slot, ...] = ()
    marks: tuple[Mark, ...] = ()
    whole: bool = False

    def around_names(self) -> str:
        """What the model reads, with spaces where names stand for something."""
        return self._but(self.text, lambda slot: " " * (slot.to - slot.at))

    def reading(self, text: str) -> Masked:
        """The same, if the model reads another text that is as long; names stay as they are."""
        return replace(self, text=self._but(text, lambda slot: self.text[slot.at : slot.to]))

    def _but(self, text: str, says: Callable[[Slot], str]) -> str:
        """A text with something else where names stand."""
        out, last = [], 0
        for slot in self.slots:
            if slot.name:
                out += [text[last : slot.at], says(slot)]
                last = slot.to
        return "".join([*out, text[last:]])

    def columns(self, pieces: Sequence[Piece]) -> list[list[int]]:
        """For each slot the positions of the pieces of `text` that lie on it."""
        starts, ends = [one.start for one in pieces], [one.end for one in pieces]
        return [list(range(bisect_right(ends, slot.at), bisect_left(starts, slot.to))) for slot in self.slots]

    def restored(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Pieces of `text` as pieces of the original: the first one on a slot is all of it, the others are empty."""
        moved = []
        ats, tos = [slot.at for slot in self.slots], [slot.to for slot in self.slots]
        places, taken = _Places([*self.slots, *self.marks]), 0  # so many slots have a piece
        for one in pieces:
            start, end = places.back(one.start, False), places.back(one.end, True)
            first, last = bisect_right(tos, one.start), bisect_left(ats, one.end)
            if first < min(last, taken):
                start = max(start, self.slots[min(last, taken) - 1].end)
            taken = max(taken, last)
            end = max(start, end)
            moved.append(replace(one, text=self.original[start:end], start=start, end=end))
        return moved


class _Places:
    """Where places in what the model reads lie in the original."""

    def __init__(self, each: Sequence[Slot | Mark]) -> None:
        self.each = sorted(each, key=lambda one: one.start)
        self.ats, self.tos = [one.at for one in self.each], [one.to for one in self.each]

    def back(self, at: int, is_end: bool) -> int:
        """One of them: an end before a tag that stands there, a start behind it."""
        search = bisect_left if is_end else bisect_right
        over, behind = search(self.tos, at), search(self.ats, at)
        if over < behind:
            return self.each[over].end if is_end else self.each[over].start
        return at + (self.each[behind - 1].end - self.each[behind - 1].to if behind else 0)


def mask(text: str, spans: Sequence[Span]) -> Masked:
    """The text with names for its spans, which are in order and apart."""
    kept = _joined(text, spans)
    if kept and not has_words("".join(_readable(part, span) for part, span in _parts(text, kept))):
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        says = "".join(
            part if span is None or span.kind == "spelled" else span.says for part, span in _parts(text, kept)
        ).strip()
        return Masked(text, NAMES[0], (Slot(start, end, 0, len(NAMES[0]), says, NAMES[0]),), whole=True)
    names = _Names(text)
    slots, marks, out = [], [], ""
    for part, span in _parts(text, kept):
        shown = part
        if span is not None and span.kind in MARKS:
            shown = span.says if span.kind == "spelled" else " " * _tight(text, span)
            marks.append(Mark(span.start, span.end, len(out), len(out) + len(shown), span.says, span.kind))
        elif span is not None:
            name = names.next(out) if span.kind == "name" else None
            shown = part if name is None else name + " " * text[span.end : span.end + 1].isalnum()
            shown = " " * (name is not None and out[-1:].isalnum()) + shown
            slots.append(Slot(span.start, span.end, len(out), len(out) + len(shown), span.says, name))
        out += shown
    return Masked(text, out, tuple(slots), tuple(marks))


class _Names:
    """Names that a text does not have itself, one after the other: towns behind words such as *in*, if there are."""

    def __init__(self, text: str) -> None:
        self.free = [name for name in NAMES if name.casefold() not in text.casefold()] or list(NAMES)
        self.left: list[str] = []

    def next(self, before: str) -> str:
        self.left = self.left or list(self.free)
        towns = [name for name in self.left if name in PLACES] if WHERE.search(before[-16:]) else []
        name = (towns or self.left)[0]
        self.left.remove(name)
        return name


def _parts(text: str, spans: Sequence[Span]) -> Iterator[tuple[str, Span | None]]:
    """The text in parts, each a span's or between them."""
    last = 0
    for span in spans:
        yield text[last : span.start], None
        yield text[span.start : span.end], span
        last = span.end
    yield text[last:], None


def _readable(part: str, span: Span | None) -> str:
    if span is None:
        return part
    return span.says if span.kind == "spelled" else ""


def _tight(text: str, span: Span) -> bool:
    if span.kind != "point":
        return False
    around = text[max(0, span.start - 1) : span.start] + text[span.end : span.end + 1]
    return len(around) == 2 and not any(one.isspace() for one in around)


def _trimmed(text: str, span: Span, known: int) -> Span:
    """Without white space at its ends; what is kept as it stands takes the letters with it that it is glued to.

    known: up to where the one before it is kept; letters before that place are not looked at again.
    """
    start, end = span.start, span.end
    if span.kind in MARKS:
        return span
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if span.kind == "read" or start == end:
        return span._replace(start=start, end=end)
    before, after = start, max(end, known)
    while text[start] != "<" and before > known and text[before - 1].isalnum():
        before -= 1
    while text[end - 1] != ">" and after < len(text) and text[after].isalnum():
        after += 1
    return span._replace(start=before, end=after)


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Trimmed spans; those with at most marks and spaces between them are one: the model would see a row of names."""
    out: list[Span] = []
    for span in spans:
        last = out[-1] if out and out[-1].kind == span.kind == "name" else None
        one = _trimmed(text, span, last.end if last else 0)
        if one.start == one.end:
            continue
        if last and (last.end >= one.start or BETWEEN.fullmatch(text, last.end, one.start)):
            out[-1] = last._replace(end=max(last.end, one.end))
        else:
            out.append(one)
    return [one._replace(says=text[one.start : one.end]) if one.kind == "name" else one for one in out]
