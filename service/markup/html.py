"""HTML as runs of text with tags in them: what is to be translated of it, and where that lies.

Knows nothing of models. Nothing is written anew: all that is not translated stays as it was, letter by letter, and a
tag that does not open and close within one run of text ends the run, so that it stays where it was.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import NamedTuple

from bundle.text import has_words
from service.markup.placeholders import ANY, Span, apart

INLINE = {
    "a",
    "abbr",
    "acronym",
    "b",
    "bdi",
    "bdo",
    "big",
    "cite",
    "data",
    "del",
    "dfn",
    "em",
    "font",
    "i",
    "ins",
    "label",
    "mark",
    "nobr",
    "q",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "time",
    "tt",
    "u",
}
POINTS = {"img", "wbr"}
WORDS = {"code", "kbd", "samp", "var", "math"}  # kept as they are, within a sentence
SILENT = {"svg", "object", "iframe", "audio", "video", "canvas"}  # kept as they are, and no part of the sentence
SKIPPED = {"script", "style", "pre", "textarea", "template", "noscript", "xmp", "plaintext", "listing"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")


@dataclass(frozen=True)
class Run:
    """`html[start:end]`, a text with tags in it; spans are counted from its start."""

    start: int
    end: int
    spans: list[Span]


class _Token(NamedTuple):
    kind: str  # text, open, close, point, name, end (of a run)
    start: int
    end: int
    tag: str = ""


def runs(text: str, *, find: bool = True) -> list[Run]:
    """What is to be translated of a document or a fragment, in order; find: placeholders are kept."""
    tokens = _settled(_joined(_Reader(text).tokens))
    found: list[Run] = []
    run: list[_Token] = []
    for token in [*tokens, _Token("end", len(text), len(text))]:
        if token.kind != "end":
            run.append(token)
            continue
        if (made := _run(text, run, find)) is not None:
            found.append(made)
        run = []
    return found


def escaped(text: str) -> str:
    """What a text is in HTML, between tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """What a run without tags says."""
    return html.unescape(text)


def _run(text: str, tokens: list[_Token], find: bool) -> Run | None:
    """A run without the white space at its ends; none where nobody could read a word."""
    parts = [token for token in tokens if token.kind == "text"]
    if not parts or not has_words("".join(html.unescape(text[one.start : one.end]) for one in parts)):
        return None
    start, end = tokens[0].start, tokens[-1].end
    if tokens[0].kind == "text":
        start += len(text[start : tokens[0].end]) - len(text[start : tokens[0].end].lstrip())
    if tokens[-1].kind == "text":
        end = max(start, tokens[-1].start + len(text[tokens[-1].start : end].rstrip()))
    spans = [Span(one.start, one.end, text[one.start : one.end], one.kind) for one in tokens if one.kind != "text"]  # type: ignore[arg-type]
    found = [span for one in parts for span in _within(text, one, find)]
    moved = [one._replace(start=one.start - start, end=one.end - start) for one in apart([*spans, *found])]
    return Run(start, end, moved)


def _within(text: str, token: _Token, find: bool) -> list[Span]:
    """Placeholders and entities of a piece of text."""
    said = text[token.start : token.end]
    kept = [Span(m.start(), m.end(), m.group()) for m in ANY.finditer(said) if find and said[m.start()] not in "<&"]
    spelled = [
        Span(m.start(), m.end(), html.unescape(m.group()), "spelled")
        for m in ENTITY.finditer(said)
        if html.unescape(m.group()) != m.group()
    ]
    return [one._replace(start=one.start + token.start, end=one.end + token.start) for one in apart(kept, spelled)]


def _joined(tokens: list[_Token]) -> list[_Token]:
    """Pieces of text that follow one another as one: the reader tells of entities one by one."""
    out: list[_Token] = []
    for token in tokens:
        if out and out[-1].kind == token.kind == "text":
            out[-1] = out[-1]._replace(end=token.end)
        else:
            out.append(token)
    return out


def _settled(tokens: list[_Token]) -> list[_Token]:
    """Tags that open and close within one run stay; every other ends a run, and so breaks the elements around it."""
    out = list(tokens)
    opened: list[int] = []
    broken: set[int] = set()

    def end(i: int) -> None:
        out[i] = out[i]._replace(kind="end")
        broken.update(opened)

    for i, token in enumerate(tokens):
        if token.kind == "open":
            opened.append(i)
        elif token.kind == "end":
            broken.update(opened)
        elif token.kind == "close" and token.tag not in {tokens[k].tag for k in opened}:
            end(i)
        elif token.kind == "close":
            while tokens[opened[-1]].tag != token.tag:
                end(opened.pop())
            if (began := opened.pop()) in broken:
                end(began)
                end(i)
    for i in opened:
        out[i] = out[i]._replace(kind="end")
    return out


class _Reader(HTMLParser):
    """Tokens of a text that follow one another without a gap, what is kept as it is being one each."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.lines = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]
        self.events: list[_Token] = []
        self.inside: list[str] = []  # what is kept as it is: its tag, and the same tag in it
        self.kind = ""
        self.feed(text)
        self.close()
        ends = [*(event.start for event in self.events[1:]), len(text)][: len(self.events)]  # none in an empty text
        self.tokens = [event._replace(end=end) for event, end in zip(self.events, ends, strict=True)]

    def _add(self, kind: str, tag: str = "") -> None:
        if not self.inside:
            line, column = self.getpos()
            start = self.lines[line - 1] + column
            self.events.append(_Token(kind, start, start, tag))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.inside:
            self.inside += [tag] if tag == self.inside[0] else []
            return
        kind = _kind(tag, dict(attrs))
        self._add(kind if kind in ("name", "point", "end", "open") else "end", tag)
        if tag not in VOID and (kind in ("name", "skip") or (kind == "point" and tag in SILENT)):
            self.inside = [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add("point" if tag in POINTS | SILENT else "end", tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[0]:
            self.inside.pop()
        elif not self.inside:
            self._add("close" if tag in INLINE else "end", tag)

    def handle_data(self, data: str) -> None:
        self._add("text")

    def handle_entityref(self, name: str) -> None:
        self._add("text")

    def handle_charref(self, name: str) -> None:
        self._add("text")

    def handle_comment(self, data: str) -> None:
        self._add("end")

    def handle_decl(self, decl: str) -> None:
        self._add("end")

    def handle_pi(self, data: str) -> None:
        self._add("end")

    def unknown_decl(self, data: str) -> None:
        self._add("end")


def _kind(tag: str, attributes: dict[str, str | None]) -> str:
    """What an opening tag begins: a name, point or skip is kept with all that is in it, an end lies between runs."""
    kept = (attributes.get("translate") or "").lower() == "no" or "notranslate" in (
        attributes.get("class") or ""
    ).split()
    if tag in SKIPPED:
        return "skip"
    if tag in WORDS or (kept and tag in INLINE):
        return "name"
    if tag in SILENT | POINTS:
        return "point"
    if kept:
        return "skip"
    return "open" if tag in INLINE else "end"
