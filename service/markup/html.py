"""HTML as runs of text with tags in them: what is to be translated of it, and where that lies.

Knows nothing of models. Nothing is written anew: all that is not translated stays as it was, letter by letter, and a
tag that does not open and close within one run of text ends the run, so that it stays where it was.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass

from bundle.text import has_words
from service.markup.placeholders import Span, apart, found
from service.markup.reader import Token, spelled, tokens

ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")


@dataclass(frozen=True)
class Run:
    """`html[start:end]`, a text with tags in it; spans are counted from its start."""

    start: int
    end: int
    spans: list[Span]


def runs(text: str, *, find: bool = True) -> list[Run]:
    """What is to be translated of a document or a fragment, in order; find: placeholders are kept."""
    each = _settled(tokens(text))
    out: list[Run] = []
    run: list[Token] = []
    for token in [*each, Token("end", len(text), len(text))]:
        if token.kind != "end":
            run.append(token)
            continue
        if (made := _run(text, run, find)) is not None:
            out.append(made)
        run = []
    return out


def escaped(text: str) -> str:
    """What a text is in HTML, between tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """What a run without tags says."""
    return spelled(text)


def _run(text: str, tokens: list[Token], find: bool) -> Run | None:
    """A run without the white space at its ends; none where nobody could read a word."""
    parts = [token for token in tokens if token.kind == "text"]
    if not parts or not has_words("".join(spelled(text[one.start : one.end]) for one in parts)):
        return None
    start, end = tokens[0].start, tokens[-1].end
    if tokens[0].kind == "text":
        start += len(text[start : tokens[0].end]) - len(text[start : tokens[0].end].lstrip())
    if tokens[-1].kind == "text":
        end = max(start, tokens[-1].start + len(text[tokens[-1].start : end].rstrip()))
    spans = [Span(one.start, one.end, text[one.start : one.end], one.kind) for one in tokens if one.kind != "text"]  # type: ignore[arg-type]
    inner = [span for one in parts for span in _within(text, one, find)]
    moved = [one._replace(start=one.start - start, end=one.end - start) for one in apart([*spans, *inner])]
    return Run(start, end, moved)


def _within(text: str, token: Token, find: bool) -> list[Span]:
    """Placeholders and entities of a piece of text."""
    said = text[token.start : token.end]
    kept = [one for one in (found(said) if find else ()) if one.says[0] not in "<&"]
    entities = [
        Span(m.start(), m.end(), html.unescape(m.group()), "spelled")
        for m in ENTITY.finditer(said)
        if html.unescape(m.group()) != m.group()
    ]
    return [one._replace(start=one.start + token.start, end=one.end + token.start) for one in apart(kept, entities)]


def _settled(tokens: list[Token]) -> list[Token]:
    """Tags that open and close within one run stay; every other ends a run, and so breaks the elements around it."""
    out = list(tokens)
    opened: list[int] = []
    names = Counter[str]()  # of those that are open
    broken = 0  # so many of them, from the outermost

    def end(i: int) -> None:
        nonlocal broken
        out[i] = out[i]._replace(kind="end")
        broken = len(opened)

    def inner() -> int:
        names[tokens[opened[-1]].tag] -= 1
        return opened.pop()

    for i, token in enumerate(tokens):
        if token.kind == "open":
            opened.append(i)
            names[token.tag] += 1
        elif token.kind == "end" or (token.kind == "close" and not names[token.tag]):
            end(i)
        elif token.kind == "close":
            while tokens[opened[-1]].tag != token.tag:
                end(inner())
            began = inner()
            if broken > len(opened):
                end(began)
                end(i)
    for i in opened:
        out[i] = out[i]._replace(kind="end")
    return out
