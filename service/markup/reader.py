"""HTML as tokens that follow one another without a gap: texts, tags, and what is kept as it is, being one token each.

Knows nothing of what is made of them. Tags, comments and declarations end where the HTML standard says that they do, in
any Python; any text can be read, in time that grows with its length only.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import NamedTuple

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
RAW = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE) for tag in ("script", "style")}  # no tags are in them
OPENS = re.compile(r"<([A-Za-z][^\t\n\r\f />\x00]*+)")
CLOSES = re.compile(r"</([A-Za-z][^\t\n\r\f />\x00]*+)[^>]*+>")
VALUE = r"""\s*+=\s*+(?:'[^']*+(?:'|\Z)|"[^"]*+(?:"|\Z)|(?!['"])[^>\s]*+)"""
REST = re.compile(rf"(?:[\s/]*+[^\s/>][^\s/=>]*+(?:{VALUE}|(?!\s*=)))*([\s/]*+)>")  # of a tag, behind its name
ATTRIBUTE = re.compile(r"""([^\s/>][^\s/=>]*+)(?:\s*+=\s*+('[^']*+'|"[^"]*+"|(?!['"])[^>\s]*+))?""")
COMMENT = re.compile(r"<!--(?:-?>|[\s\S]*?--!?>)")
NUMBER = re.compile(r"(&#)0*(\d{1,8})\d*")
UNCLOSED = 32  # tags and comments without an end that are taken for text, if somebody wrote `<` for less


class Token(NamedTuple):
    """`text[start:end]`, by what it is: text, open, close, point, name, end (of a run)."""

    kind: str
    start: int
    end: int
    tag: str = ""


def tokens(text: str) -> list[Token]:
    """All of a document or a fragment, in order."""
    reader = _Reader(text)
    at = 0
    while at < len(text):
        at = reader.next(at)
    return reader.tokens


def spelled(text: str) -> str:
    """A text with what its entities stand for; numbers of thousands of digits are no characters, and are cut."""
    return html.unescape(NUMBER.sub(r"\1\2", text))


@dataclass
class _Reader:
    text: str
    tokens: list[Token] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)  # what is kept as it is: its tag, and the same tag in it
    unclosed: int = 0

    def next(self, start: int) -> int:
        """Add what begins there; where it ends."""
        end = self.text.find("<", start)
        if end != start:
            return self._add("text", start, end if end >= 0 else len(self.text))
        if opens := OPENS.match(self.text, start):
            rest = REST.match(self.text, opens.end())
            return self._opened(opens, rest) if rest else self._unended(start)
        if closes := CLOSES.match(self.text, start):
            return self._closed(closes[1].lower(), start, closes.end())
        if self.text.startswith(("<!", "<?", "</"), start):
            end = self._remark(start)
            return self._add("end", start, end) if end else self._unended(start)
        return self._add("text", start, start + 1)

    def _add(self, kind: str, start: int, end: int, tag: str = "") -> int:
        if self.inside or (self.tokens and self.tokens[-1].kind == kind == "text"):
            self.tokens[-1] = self.tokens[-1]._replace(end=end)
        else:
            self.tokens.append(Token(kind, start, end, tag))
        return end

    def _unended(self, start: int) -> int:
        """What begins as a tag and has no end is text, up to where one ends; after many of them, all the rest stays."""
        self.unclosed += 1
        if self.unclosed > UNCLOSED:
            return self._add("end", start, len(self.text))
        end = self.text.find(">", start) + 1 or self.text.find("<", start + 1)
        return self._add("text", start, end if end > 0 else start + 1)

    def _remark(self, start: int) -> int:
        """Where a comment, a declaration or an instruction ends; 0 if nowhere."""
        if self.text.startswith("<!--", start):
            found = COMMENT.match(self.text, start)
            return found.end() if found else 0
        if self.text[start : start + 9].upper() == "<![CDATA[" and (end := self.text.find("]]>", start)) >= 0:
            return end + 3
        return self.text.find(">", start) + 1

    def _opened(self, opens: re.Match[str], rest: re.Match[str]) -> int:
        tag, start, end = opens[1].lower(), opens.start(), rest.end()
        if rest[1].endswith("/"):
            return self._add("point" if tag in POINTS | SILENT else "end", start, end, tag)
        if self.inside:
            self._add("", start, end)
            self.inside += [tag] if tag == self.inside[0] else []
        else:
            kind = _kind(tag, _attributes(self.text[opens.end() : end]))
            self._add("end" if kind == "skip" else kind, start, end, tag)
            if tag not in VOID and (kind in ("name", "skip") or (kind == "point" and tag in SILENT)):
                self.inside = [tag]
        if tag not in RAW:
            return end
        closes = RAW[tag].search(self.text, end)
        return self._add("", end, closes.start() if closes else len(self.text))

    def _closed(self, tag: str, start: int, end: int) -> int:
        self._add("close" if tag in INLINE else "end", start, end, tag)
        if self.inside and tag == self.inside[0]:
            self.inside.pop()
        return end


def _attributes(written: str) -> dict[str, str]:
    """Those of an opening tag that tell whether it is translated."""
    small = written.lower()
    if "translate" not in small and "class" not in small:
        return {}
    found = {one[1].lower(): one[2] or "" for one in ATTRIBUTE.finditer(written)}
    return {name: spelled(value[1:-1] if value[:1] in ("'", '"') else value) for name, value in found.items()}


def _kind(tag: str, attributes: dict[str, str]) -> str:
    """What an opening tag begins: a name, point or skip is kept with all that is in it, an end lies between runs."""
    kept = attributes.get("translate", "").lower() == "no" or "notranslate" in attributes.get("class", "").split()
    if tag in SKIPPED:
        return "skip"
    if tag in WORDS or (kept and tag in INLINE):
        return "name"
    if tag in SILENT | POINTS:
        return "point"
    if kept:
        return "skip"
    return "open" if tag in INLINE else "end"
