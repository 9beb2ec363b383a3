"""Word's and OpenDocument's texts: each paragraph one, its runs of one formatting as tags.

Knows nothing of models. What is no text in a paragraph (pictures, notes, fields, tabs) moves with the words around it;
what is tracked as inserted or deleted stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree

from bundle.text import has_words
from service.errors import FileBroken
from service.markup.files.inline import Node, around, nodes, point, said
from service.markup.files.opened import Limits, Opened
from service.markup.files.package import packed, unpacked
from service.markup.html import escaped, unescaped

Element = etree._Element
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
T = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"
WORD_PARTS = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes)\.xml")
ODT_PARTS = re.compile(r"content\.xml|styles\.xml")


@dataclass(frozen=True)
class _Paragraph:
    text: str
    put: Callable[[str], None]  # an answer in place of the text


def word(data: bytes, limits: Limits) -> Opened:
    """A .docx file: its body, tables, headers, footers and notes."""
    return _opened(data, limits, WORD_PARTS, "word/document.xml", [f"{W}p"], _word_paragraph)


def open_document(data: bytes, limits: Limits) -> Opened:
    """An .odt file: its body, tables, notes, headers and footers."""
    return _opened(data, limits, ODT_PARTS, "content.xml", [f"{T}p", f"{T}h"], _odt_paragraph)


def _opened(
    data: bytes,
    limits: Limits,
    wanted: re.Pattern[str],
    needed: str,
    tags: Sequence[str],
    read: Callable[[Element], _Paragraph],
) -> Opened:
    parts = unpacked(data, wanted, limits)
    if needed not in parts:
        raise FileBroken("The file is an archive, but no document of its kind.")
    each = [read(one) for part in parts.values() for one in part.iter(*tags)]
    todo = [one for one in each if has_words(unescaped(re.sub(r"<[^>]*>", "", one.text)))]
    if (length := sum(len(one.text) for one in todo)) > limits.characters:
        raise FileBroken("The file has too many characters.", limit=limits.characters, actual=length)

    def close(answers: Sequence[str]) -> bytes:
        for one, answer in zip(todo, answers, strict=True):
            one.put(answer)
        return packed(data, parts)

    return Opened([one.text for one in todo], close, "html")


def _odt_paragraph(paragraph: Element) -> _Paragraph:
    elements: list[Element] = []

    def fragment(parent: Element) -> str:
        out = escaped(parent.text or "")
        for child in parent:
            if child.tag == f"{T}s":
                out += " "
            elif child.tag in (f"{T}span", f"{T}a"):
                elements.append(child)
                out += around(len(elements) - 1, fragment(child))
            else:
                elements.append(child)
                out += point(len(elements) - 1)
            out += escaped(child.tail or "")
        return out

    def fill(parent: Element, tree: Iterable[Node]) -> None:
        parent.text = None
        for child in list(parent):
            parent.remove(child)
        for node in tree:
            if isinstance(node, str):
                _say(parent, _allowed(node))
                continue
            child = elements[node[0]]
            child.tail = None
            if child.tag in (f"{T}span", f"{T}a"):
                fill(child, node[1])
            parent.append(child)

    return _Paragraph(fragment(paragraph), lambda answer: fill(paragraph, nodes(answer, len(elements))))


def _say(parent: Element, text: str) -> None:
    """Text behind what is in an element already."""
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


@dataclass
class _Bit:
    """Something in a Word paragraph: text of one formatting, a link with text in it, or anything else as it is."""

    text: str = ""
    format: Element | None = None  # w:rPr
    link: Element | None = None
    whole: list[Element] = field(default_factory=list)


def _word_paragraph(paragraph: Element) -> _Paragraph:
    bits = _bits(paragraph)
    lengths: dict[bytes, int] = {}
    for bit in bits:
        if not bit.whole and bit.link is None:
            lengths[_key(bit.format)] = lengths.get(_key(bit.format), 0) + len(bit.text)
    usual = max(lengths, key=lambda one: lengths[one], default=b"")
    base = next((bit.format for bit in bits if not bit.whole and _key(bit.format) == usual), None)
    elements: list[_Bit] = []
    out = ""
    for bit in bits:
        if not bit.whole and bit.link is None and _key(bit.format) == usual:
            out += escaped(bit.text)
            continue
        elements.append(bit)
        out += point(len(elements) - 1) if bit.whole else around(len(elements) - 1, escaped(bit.text))

    def put(answer: str) -> None:
        for child in list(paragraph):
            if child.tag != f"{W}pPr":
                paragraph.remove(child)
        for node in nodes(answer, len(elements)):
            if isinstance(node, str):
                paragraph.append(_run(node, base))
            else:
                paragraph.extend(_made(elements[node[0]], node[1]))

    return _Paragraph(out, put)


def _made(bit: _Bit, tree: Sequence[Node]) -> list[Element]:
    """The elements that a bit is in the answer."""
    if bit.whole:
        return bit.whole
    run = _run(said(tree), bit.format)
    if bit.link is None:
        return [run]
    for child in list(bit.link):
        bit.link.remove(child)
    bit.link.append(run)
    return [bit.link]


def _bits(paragraph: Element) -> list[_Bit]:
    out: list[_Bit] = []
    depth = 0  # of complex fields: from their beginning to their end they stay whole
    for child in paragraph:
        if child.tag == f"{W}pPr":
            continue
        marks = [one.get(f"{W}fldCharType") for one in child.iter(f"{W}fldChar")]
        text = None if depth or marks else _text(child)
        if text is not None and child.tag == f"{W}hyperlink":
            first = child.find(f"{W}r/{W}rPr")
            out.append(_Bit(text, first, link=child))
        elif text is not None:
            format_ = child.find(f"{W}rPr")
            if out and not out[-1].whole and out[-1].link is None and _key(out[-1].format) == _key(format_):
                out[-1].text += text
            else:
                out.append(_Bit(text, format_))
        elif out and out[-1].whole:
            out[-1].whole.append(child)
        else:
            out.append(_Bit(whole=[child]))
        depth += marks.count("begin") - marks.count("end")
    return out


def _text(element: Element) -> str | None:
    """What a run or a link says, if it is nothing but text."""
    if element.tag == f"{W}hyperlink":
        inner = [_text(child) for child in element]
        return None if None in inner or not inner else "".join(one for one in inner if one is not None)
    if element.tag != f"{W}r" or not all(child.tag in (f"{W}rPr", f"{W}t") for child in element):
        return None
    return "".join(child.text or "" for child in element if child.tag == f"{W}t")


def _key(format_: Element | None) -> bytes:
    return b"" if format_ is None else bytes(etree.tostring(format_))


def _run(text: str, format_: Element | None) -> Element:
    run = etree.Element(f"{W}r")
    if format_ is not None:
        run.append(deepcopy(format_))
    said_ = etree.SubElement(run, f"{W}t")
    said_.text = _allowed(text)
    said_.set(SPACE, "preserve")
    return run


def _allowed(text: str) -> str:
    """Without the characters that XML cannot have."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
