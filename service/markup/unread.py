"""What a model has no pieces for: words with letters it has never seen, symbols, emoji; and numbers, which it makes up.

Knows nothing of models but which characters they cannot read. A word of that kind is kept as a name would be (copied to
where the map says, as Luong et al. 2015, §4.1, copy unknown words), a bracket goes around the words that it was around,
and marks that have a plain sister are read as that one. Numbers are read, and the word that looks at one gives way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from service.markup.placeholders import Kind, Span

SISTERS = {**dict.fromkeys("“”„«»‟", '"'), **dict.fromkeys("‘’‚‹›‛`´", "'"), **dict.fromkeys("–—―", "-"), "\xad": ""}
BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", "«": "»", "“": "”", "„": "“"}
EVEN = "*_~|"  # marks that open and close alike
BEFORE = {*BRACKETS, *SISTERS, *EVEN, "¿", "¡", '"', "'"} - {"\xad"}  # what may stand before a word and is none of it
BEHIND = {*BRACKETS.values(), *SISTERS, *EVEN, *".,;:!?\"'"} - {"\xad"}
APART = "/|–—―…"  # what may stand between two words without a space
WORD = re.compile(r"\S+")
FEW = 2  # digits of a number that is copied; one digit may become a word
LONG = 5  # digits of a number that a name stands for: its pieces would be too many
NUMBER = re.compile(r"(?<![\w.,])(?:\+\d{1,3}(?:[ /-]?\(?\d++\)?){1,8}|\d++(?:[.,:/'-]\d++)*)(?!\w)")
AMOUNT = re.compile(r"\d+(?:[.,]\d+){0,8}[ \u00a0\u202f]?$")  # before a symbol that is no letter: 20 €
COUNTED = re.compile(r"[ \u00a0\u202f]?\d+(?:[.,]\d+)*")  # behind one: € 20
MOST = 4096
DEEP = 8  # brackets within brackets that are told apart


def unread(text: str, strange: set[str], ranges: Iterable[tuple[int, int]]) -> list[Span]:
    """The spans of these ranges of a text that a model does not read, in order.

    strange: the characters that it has no pieces for. With more than MOST spans it is no text, and has none.
    """
    found: list[Span] = []
    for start, end in ranges:
        found += _numbers(text, start, end)
        for word in WORD.finditer(text, start, end) if strange else ():
            if not strange.isdisjoint(word.group()):
                found += _of_word(text, word.start(), word.end(), strange)
            if len(found) > MOST:
                return []
    return _paired(_apart(sorted(found, key=lambda span: (span.start, -span.end))))


def _numbers(text: str, start: int, end: int) -> Iterator[Span]:
    for one in NUMBER.finditer(text, start, end):
        digits = sum(map(str.isdigit, one.group()))
        if digits >= FEW:
            yield Span(one.start(), one.end(), one.group(), "name" if digits >= LONG else "read")


def _of_word(text: str, start: int, end: int, strange: set[str]) -> Iterator[Span]:
    """The spans of a word and of the marks around it."""
    first, last = start, end
    while first < last and text[first] in BEFORE:
        first += 1
    while last > first and text[last - 1] in BEHIND:
        last -= 1
    yield from _marks(text, start, first, strange, "open")
    if any(map(str.isalnum, text[first:last])):
        yield from _letters(text, first, last, strange)
    elif not strange.isdisjoint(text[first:last]):
        yield _symbol(text, first, last)
    yield from _marks(text, last, end, strange, "close")


def _marks(text: str, start: int, end: int, strange: set[str], kind: Kind) -> Iterator[Span]:
    """Marks at the edge of a word: each read as its sister, if there is one that can be read, or kept around words."""
    for at in range(start, end):
        if text[at] in strange:
            sister = SISTERS.get(text[at])
            spelled = sister is not None and strange.isdisjoint(sister)
            yield Span(at, at + 1, sister or "", "spelled") if spelled else Span(at, at + 1, text[at], kind)


def _letters(text: str, start: int, end: int, strange: set[str]) -> Iterator[Span]:
    """The parts of a word that cannot be read, and what stands between them."""
    at = start
    for i in [*(i for i in range(start, end) if text[i] in APART and text[i] in strange), end]:
        part = text[at:i]
        if part and not strange.isdisjoint(part):
            yield from _part(text, at, i, strange)
        if i < end:
            yield Span(i, i + 1, text[i], "point")
        at = i + 1


def _part(text: str, start: int, end: int, strange: set[str]) -> Iterator[Span]:
    """A part of a word: read with plain sisters of its marks if that is all it needs, or copied as a whole."""
    odd = [i for i in range(start, end) if text[i] in strange]
    sisters = [SISTERS.get(text[i]) for i in odd]
    if all(one is not None and strange.isdisjoint(one) for one in sisters):
        yield from (Span(i, i + 1, one or "", "spelled") for i, one in zip(odd, sisters, strict=True))
    else:
        yield Span(start, end, text[start:end])


def _symbol(text: str, start: int, end: int) -> Span:
    """A symbol that stands alone: with the amount beside it, or in its place between words."""
    if all(unicodedata.category(one) in ("Sc", "So", "Po") for one in text[start:end]) and end - start == 1:
        if before := AMOUNT.search(text, max(0, start - 40), start):
            return Span(before.start(), end, text[before.start() : end])
        if text[start:end] != "&" and (behind := COUNTED.match(text, end)):
            return Span(start, behind.end(), text[start : behind.end()])
    if text[end : end + 1] == " ":  # it takes a space with it, or would be glued to a word of the answer
        end += 1
    elif text[start - 1 : start] == " ":
        start -= 1
    return Span(start, end, text[start:end], "point")


def _apart(spans: list[Span]) -> list[Span]:
    """Without those that begin within another."""
    kept: list[Span] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _paired(spans: list[Span]) -> list[Span]:
    """Brackets without a partner are marks alone."""
    opened: list[int] = []
    for i, span in enumerate(spans):
        if span.kind == "open" and len(opened) == DEEP:
            spans[i] = span._replace(kind="point")
        elif span.kind == "open":
            opened.append(i)
        elif span.kind == "close":
            partner = next((at for at in reversed(opened) if _partners(spans[at].says, span.says)), None)
            if partner is None:
                spans[i] = span._replace(kind="point")
                continue
            for at in opened[opened.index(partner) + 1 :]:
                spans[at] = spans[at]._replace(kind="point")
            del opened[opened.index(partner) :]
    for at in opened:
        spans[at] = spans[at]._replace(kind="point")
    return spans


def _partners(first: str, second: str) -> bool:
    return BRACKETS.get(first, first if first in EVEN else None) == second
