"""Where a text has placeholders, addresses and wanted terms: the spans that a translation must keep or say as told.

Knows nothing of models. What a pattern looks like is what printf, Python, Qt, Ruby, JavaScript's templates, ICU, Jinja,
XLIFF and HTML write; each takes time that grows with the text's length only.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Kind = Literal["name", "read", "open", "close", "point", "spelled"]


class Span(NamedTuple):
    """`text[start:end]`, what is said in its place, and what the model reads there.

    name: a name that stands for it; read: the span itself; open, close and point are tags, of which it reads nothing;
    spelled: what an entity spells, which is said as the model says it.
    """

    start: int
    end: int
    says: str
    kind: Kind = "name"


PATTERNS = (
    r"https?://[^\s<>\"'{}]*[^\s<>\"'{}.,;:!?)\]]",
    r"www\.[^\s<>\"'{}]*[^\s<>\"'{}.,;:!?)\]]",
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
    r"\{\{[^{}]*\}\}",  # {{ x }}
    r"\{%[^{}]*%\}",  # {% x %}
    r"[$#%]\{[^{}\s]*\}",  # ${x}, #{x}, %{x}
    r"\{[\w.$\[\]-]*(?:[:!,][^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}",  # {}, {0}, {name}, {x:.2f}, {n, plural, one {…} …}
    r"%\(\w+\)[-+#0]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]",  # %(count)d
    r"%\d+\$[-+#0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z|j|t|L)?[diouxXeEfFgGaAcsp@]",  # %1$s
    r"(?<!\w)%[-+#0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z|j|t|L)?[diouxXeEfFgGaAcsp@]",  # %s, %.2f, %@; but not in 100%ig
    r"%[-+#0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z|j|t|L)?[diouxXeEfFgGaAcsp@](?![A-Za-z])",  # 5%s
    r"%L?\d{1,2}(?![\d%])",  # Qt's %1
    r"%%",
    r"</?[A-Za-z][^<>]*>",  # <x id="1"/>
    r"</?\d{1,4} ?/?>",  # <0/>, of JavaScript's catalogues
    r"<!--(?:[^-]|-(?!->))*-->",
    r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});",
    r"\\[nrt]",  # line ends in a catalogue
)
ANY = re.compile("|".join(PATTERNS))


VOID = {"br", "hr", "img", "wbr"}  # they stand for nothing that is said
TAG = re.compile(r"<(/?)([A-Za-z0-9][\w:.-]*)[^<>]*?(/?)>")


def placeholders(text: str) -> list[Span]:
    """Everything of the kinds above, in order. A tag and the one that closes it are tags; others are placeholders."""
    found = [Span(one.start(), one.end(), one.group()) for one in ANY.finditer(text)]
    opened: list[int] = []
    for i, span in enumerate(found):
        tag = TAG.fullmatch(span.says)
        if tag is None:
            found[i] = span._replace(kind="point") if span.says[0] == "\\" else span
            continue
        if tag[2].lower() in VOID:
            found[i] = span._replace(kind="point")
        if tag[3] or found[i].kind == "point":
            continue
        if not tag[1]:
            opened.append(i)
        elif (at := next((at for at in reversed(opened) if _name(found[at]) == tag[2]), None)) is not None:
            found[at], found[i] = found[at]._replace(kind="open"), span._replace(kind="close")
            del opened[opened.index(at) :]
    return found


def _name(span: Span) -> str:
    tag = TAG.fullmatch(span.says)
    return "" if tag is None else tag[2]


def terms(text: str, glossary: Mapping[str, str]) -> list[Span]:
    """Where whole words are a glossary's terms, the longest first; one in small letters is meant in any letters."""
    wanted = {term.strip(): says for term, says in glossary.items() if term.strip()}
    if not wanted:
        return []
    lower = {term: says for term, says in wanted.items() if term == term.lower()}
    each = sorted(wanted, key=len, reverse=True)
    pattern = "|".join(f"(?i:{re.escape(term)})" if term in lower else re.escape(term) for term in each)
    found = re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", text)
    return [Span(one.start(), one.end(), _said(one.group(), wanted, lower), "read") for one in found]


def _said(written: str, wanted: Mapping[str, str], lower: Mapping[str, str]) -> str:
    return wanted[written] if written in wanted else lower[written.lower()]


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
