"""Word's and OpenDocument's texts: each paragraph one, its runs of one formatting as tags.

Knows nothing of models. What is no text in a paragraph (pictures, notes, fields, tabs) moves with the words around it;
what is tracked as inserted or deleted stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from bundle.text import has_words
from service.errors import FileBroken
from service.markup.files import odt, word
from service.markup.files.inline import Paragraph
from service.markup.files.opened import Limits, Opened
from service.markup.files.package import packed, unpacked
from service.markup.html import unescaped

Element = etree._Element
LETTER = re.compile(r"[^\W_]")  # what `has_words` looks for, found a hundred times as fast in what has none
EVENTS = ("start", "end", "comment", "pi", "start-ns", "end-ns")


@dataclass(frozen=True)
class _Kind:
    """Where a kind of document has its texts."""

    parts: re.Pattern[str]
    needed: str  # a part that each has
    paragraphs: frozenset[str]
    inline: frozenset[str]  # elements whose text is that of the paragraph around them
    shut: str  # in which nothing is looked for: it is thrown away with the text that it is about
    read: Callable[[Element], Paragraph]


def docx(data: bytes, limits: Limits) -> Opened:
    """A .docx file: its body, tables, headers, footers and notes."""
    parts = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes)\.xml")
    inline = frozenset({f"{word.W}hyperlink", f"{word.W}r", f"{word.W}t"})
    return _opened(
        data,
        limits,
        _Kind(parts, "word/document.xml", frozenset({f"{word.W}p"}), inline, f"{word.W}rPr", word.paragraph),
    )


def open_document(data: bytes, limits: Limits) -> Opened:
    """An .odt file: its body, tables, notes, headers and footers."""
    parts, paragraphs = re.compile(r"content\.xml|styles\.xml"), frozenset({f"{odt.T}p", f"{odt.T}h"})
    inline = frozenset({f"{odt.T}span", f"{odt.T}a"})
    return _opened(data, limits, _Kind(parts, "content.xml", paragraphs, inline, "", odt.paragraph))


def _opened(data: bytes, limits: Limits, kind: _Kind) -> Opened:
    parts = unpacked(data, kind.parts, limits)
    if kind.needed not in parts:
        raise FileBroken("The file is an archive, but no document of its kind.")
    todo, texts, length, more = list[Element](), list[str](), 0, 0
    for paragraph in (one for part in parts.values() for one in _with_letters(part, kind, limits)):
        read = kind.read(paragraph)
        text = read.text
        if not has_words(unescaped(re.sub(r"<[^>]*>", "", text))):
            continue
        todo.append(paragraph)
        texts.append(text)
        length, more = length + len(text), more + read.more
        if len(texts) > limits.texts:
            raise FileBroken("The file has too many texts.", limit=limits.texts)
        if length > limits.characters:
            raise FileBroken("The file has too many characters.", limit=limits.characters)
        if more > limits.elements:
            raise FileBroken("The file has too much formatting.", limit=limits.elements)

    def close(answers: Sequence[str]) -> bytes:
        for paragraph, answer in zip(todo, answers, strict=True):
            kind.read(paragraph).put(answer)  # read once more: what is known of 20,000 paragraphs takes a lot of room
        return packed(data, parts)

    return Opened(texts, close, "html")


def _with_letters(part: Element, kind: _Kind, limits: Limits) -> Iterator[Element]:
    """The paragraphs of a part with a letter in a text of their own, in one pass.

    Raises:
        FileBroken: one is within too many others.
    """
    around_: list[list[Element]] = [[]]  # of each open element: the paragraph that it is text of, until that is told
    shut: list[Element] = []
    deep = scope = 0
    for event, element in etree.iterwalk(part, events=EVENTS):
        if event in ("start-ns", "end-ns"):
            scope += 1 if event == "start-ns" else -1
            if scope > limits.namespaces:
                raise FileBroken("The file has too many namespaces.", limit=limits.namespaces)
            continue
        if event == "end":
            around_.pop()
            deep -= element.tag in kind.paragraphs
        elif event == "start":
            deep += element.tag in kind.paragraphs
            if deep > limits.nested:
                raise FileBroken("The file has paragraphs within paragraphs.", limit=limits.nested)
            around_.append(shut if element.tag == kind.shut else _around(element, around_[-1], shut, kind))
        text = element.text if event == "start" else element.tail
        if text and around_[-1] and LETTER.search(text):
            yield around_[-1].pop()


def _around(element: Element, outer: list[Element], shut: list[Element], kind: _Kind) -> list[Element]:
    if outer is shut or element.tag in kind.inline:
        return outer
    return [element] if element.tag in kind.paragraphs else []
