"""Where a text has placeholders, addresses and wanted terms: the spans that a translation must keep or say as told.

Knows nothing of models. What a pattern looks like is what printf, Python, Qt, Ruby, JavaScript's templates, ICU, Jinja,
XLIFF and HTML write; each takes time that grows with the text's length only.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

Kind = Literal["name", "read", "open", "close", "point", "spelled"]


class Span(NamedTuple):
    """`text[start:end]`, what is said in its place, and what the model reads there.

    name: a name that stands for it, and it is said as it stands; read: the span itself; open, close and point are tags,
    of which it reads nothing; spelled: what an entity spells, which is said as the model says it.
    """

    start: int
    end: int
    says: str
    kind: Kind = "name"


COMMENT, CLOSED = "<!--", "-->"
# In each, a repeat either ends at a mark that it does not take itself, or keeps what it took (`++`): where one fails,
# nothing is tried again with less.
PATTERNS = (
    r"https?://[^\s<>\"'{}]*[^\s<>\"'{}.,;:!?)\]]",
    r"www\.[^\s<>\"'{}]*[^\s<>\"'{}.,;:!?)\]]",
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
    r"\{\{[^{}]*\}\}",  # {{ x }}
    r"\{%[^{}]*%\}",  # {% x %}
    r"[$#%]\{[^{}\s]*\}",  # ${x}, #{x}, %{x}
    r"\{[\w.$\[\]-]*(?:[:!,][^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}",  # {}, {0}, {name}, {x:.2f}, {n, plural, one {…} …}
    r"%\(\w+\)[-+#0]*+\d*+(?:\.\d++)?[diouxXeEfFgGcrsa]",  # %(count)d
    r"%\d+\$[-+#0]*+\d*+(?:\.\d++)?(?:hh|h|ll|l|z|j|t|L)?[diouxXeEfFgGaAcsp@]",  # %1$s
    r"(?<!\w)%[-+#0]*+\d*+(?:\.\d++)?(?:hh|h|ll|l|z|j|t|L)?[diouxXeEfFgGaAcsp@]",  # %s, %.2f, %@; but not in 100%ig
    r"%[-+#0]*+\d*+(?:\.\d++)?(?:hh|h|ll|l|z|j|t|L)?[diouxXeEfFgGaAcsp@](?![A-Za-z])",  # 5%s
    r"%L?\d{1,2}(?![\d%])",  # Qt's %1
    r"%%",
    r"</?[A-Za-z][^<>]*>",  # <x id="1"/>
    r"</?\d{1,4} ?/?>",  # <0/>, of JavaScript's catalogues
    COMMENT,  # where it ends is found once, see `found`
    r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});",
    r"\\[nrt]",  # line ends in a catalogue
)
ANY = re.compile("|".join(PATTERNS))


VOID = {"br", "hr", "img", "wbr"}  # they stand for nothing that is said
BEGIN, LETTER = re.compile(r"(?<!\w)\S"), re.compile(r"\w")  # of a term, and what it does not end before
TAG = re.compile(r"<(/?)([A-Za-z0-9][\w:.-]*)[^<>]*?(/?)>")


def found(text: str) -> Iterator[Span]:
    """Everything of the kinds above, in order."""
    last = text.rfind(CLOSED)  # a comment that begins behind it has no end, and none is looked for
    at = 0
    while (one := ANY.search(text, at)) is not None:
        at = one.end()
        if one.group() == COMMENT:
            if at > last:
                at = one.start() + 1
                continue
            at = text.index(CLOSED, at) + len(CLOSED)
        yield Span(one.start(), at, text[one.start() : at])


def placeholders(text: str) -> list[Span]:
    """What was found; a tag and the one that closes it are tags, others are placeholders."""
    each = list(found(text))
    opened: list[tuple[int, str]] = []
    names = Counter[str]()  # of those that are open
    for i, span in enumerate(each):
        tag = TAG.fullmatch(span.says)
        if tag is None:
            each[i] = span._replace(kind="point") if span.says[0] == "\\" else span
            continue
        if tag[2].lower() in VOID:
            each[i] = span._replace(kind="point")
        if tag[3] or each[i].kind == "point":
            continue
        if not tag[1]:
            opened.append((i, tag[2]))
            names[tag[2]] += 1
        elif names[tag[2]]:
            at, name = -1, ""
            while name != tag[2]:
                at, name = opened.pop()
                names[name] -= 1
            each[at], each[i] = each[at]._replace(kind="open"), span._replace(kind="close")
    return each


class _Terms:
    """What terms are called. `within` is the longest other term that each begins with: what begins as it does may be
    one of those, and nothing else."""

    def __init__(self, called: Mapping[str, str]) -> None:
        self.called = called
        self.each = sorted(called)
        self.longest = max(map(len, self.each), default=0)
        self.within: list[int] = []
        path: list[int] = []
        for i, term in enumerate(self.each):
            while path and not term.startswith(self.each[path[-1]]):
                path.pop()
            self.within.append(path[-1] if path else -1)
            path.append(i)

    def at(self, text: str, start: int) -> tuple[int, str]:
        """Where the longest term that begins there ends, as a whole word, and what it is called; 0 if there is none."""
        i = bisect_right(self.each, text[start : start + self.longest]) - 1
        while i >= 0:
            term = self.each[i]
            end = start + len(term)
            if text.startswith(term, start) and not LETTER.match(text, end):
                return end, self.called[term]
            i = self.within[i]
        return 0, ""


def terms(text: str, glossary: Mapping[str, str]) -> list[Span]:
    """Where whole words are a glossary's terms, the longest first; one in small letters is meant in any letters."""
    wanted = {term.strip(): says for term, says in glossary.items() if term.strip()}
    if not wanted:
        return []
    exact = _Terms(wanted)
    loose = _Terms({_small(term): says for term, says in wanted.items() if term == term.lower()})
    small = _small(text)
    spans: list[Span] = []
    last = 0
    for begin in BEGIN.finditer(text):
        start = begin.start()
        if start < last:
            continue
        end, says = max(exact.at(text, start), loose.at(small, start), key=lambda one: one[0])
        if end:
            spans.append(Span(start, end, says, "read"))
            last = end
    return spans


def _small(text: str) -> str:
    """In small letters, each where it was: what is one letter in any writing is the same one here."""
    return "".join(next((one for one in (each.casefold(), each.lower()) if len(one) == 1), each) for each in text)


def apart(first: Sequence[Span], *others: Sequence[Span]) -> list[Span]:
    """Spans in the order of the text, none over another: where two meet, that of the earlier list stays."""
    kept = list(first)
    for spans in others:
        before = sorted(kept)
        for span in spans:
            at = bisect_left(before, span.end, key=lambda one: one.start)
            if not at or before[at - 1].end <= span.start:
                kept.append(span)
    return sorted(kept)
