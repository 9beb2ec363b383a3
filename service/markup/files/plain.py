"""Plain text and HTML files as texts: paragraphs, and runs of text between tags.

Knows nothing of models.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from bundle.text import has_words
from service.errors import FileBroken
from service.markup.files.opened import Limits, Opened
from service.markup.html import runs

PARAGRAPH = re.compile(r"(?:(?!\r?\n[ \t]*\r?\n)[\s\S])+")  # up to an empty line
ODD = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}  # Python's; no page is written in them
DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)


def read(data: bytes, encoding: str | None = None) -> str:
    """What a file says: UTF-8, or what its first bytes or a declaration say.

    Raises:
        FileBroken: it is in no encoding that can be told.
    """
    marks = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
    told = next((code for mark, code in marks.items() if data.startswith(mark)), encoding or "utf-8")
    for code in dict.fromkeys((told, "utf-8")):
        try:
            if codecs.lookup(code).name in ODD:
                continue
            text = data.decode(code)
        except (UnicodeError, LookupError):
            continue
        if "\0" not in text:
            return text
    raise FileBroken("The file is not text in UTF-8.")


def text(data: bytes, limits: Limits) -> Opened:
    """A text file; the white space between its paragraphs stays."""
    whole = within(read(data), limits)
    places = []
    for match in PARAGRAPH.finditer(whole):
        said = match.group().strip()
        if has_words(said):
            start = match.start() + match.group().index(said)
            places.append((start, start + len(said)))
    return spliced(whole, places)


def page(data: bytes, limits: Limits) -> Opened:
    """An HTML file; everything but its texts stays letter by letter, and it is UTF-8 then."""
    declared = DECLARED.search(data[:4096])
    whole = within(read(data, declared[1].decode() if declared else None), limits)
    if declared:
        whole = re.sub(rf"(?i)(charset\s*=\s*[\"']?){re.escape(declared[1].decode())}", r"\1utf-8", whole, count=1)
    return spliced(whole, [(run.start, run.end) for run in runs(whole)], html=True)


def spliced(whole: str, places: Sequence[tuple[int, int]], *, html: bool = False) -> Opened:
    """Texts at these places of a whole, which is written in UTF-8."""

    def close(answers: Sequence[str]) -> bytes:
        out, last = [], 0
        for (start, end), answer in zip(places, answers, strict=True):
            out += [whole[last:start], answer]
            last = end
        return "".join([*out, whole[last:]]).encode("utf-8", "replace")

    return Opened([whole[start:end] for start, end in places], close, "html" if html else "text")


def within(whole: str, limits: Limits) -> str:
    """The text.

    Raises:
        FileBroken: it is too long.
    """
    if len(whole) > limits.characters:
        raise FileBroken("The file has too many characters.", limit=limits.characters, actual=len(whole))
    return whole
