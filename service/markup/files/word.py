"""A paragraph of Word's: its runs of one formatting as tags, and an answer in place of them.

Knows nothing of documents. What is no text in it (pictures, notes, fields, tabs) moves with the words around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree

from service.markup.files.inline import Node, Paragraph, allowed, around, nodes, point, said
from service.markup.html import escaped

Element = etree._Element
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"
FORMAT = 500  # elements and attributes of a run's formatting; there are about a hundred kinds
LONG = 100  # characters of it that count as one more


@dataclass
class _Bit:
    """Something in a Word paragraph: text of one formatting, a link with text in it, or anything else as it is."""

    said: list[str] = field(default_factory=list)
    format: str = ""  # its key
    link: Element | None = None
    whole: list[Element] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether it is nothing but text."""
        return not self.whole and self.link is None


def paragraph(element: Element) -> Paragraph:
    """One as a text."""
    bits, formats = _bits(element)
    lengths: dict[str, int] = {}
    for bit in bits:
        if bit.plain:
            lengths[bit.format] = lengths.get(bit.format, 0) + sum(map(len, bit.said))
    usual = max(lengths, key=lambda one: lengths[one], default="")
    elements: list[_Bit] = []
    out: list[str] = []
    for bit in bits:
        text = escaped("".join(bit.said))
        if bit.plain and bit.format == usual:
            out.append(text)
            continue
        elements.append(bit)
        out.append(point(len(elements) - 1) if bit.whole else around(len(elements) - 1, text))

    def put(answer: str) -> None:
        before = len(element)
        for node in _flat(nodes(answer, len(elements))):
            if isinstance(node, str):
                _run(element, node, formats.get(usual))
                continue
            bit, text = elements[node[0]], said(node[1])
            element.extend(bit.whole)
            if bit.link is not None:
                del bit.link[:]
                element.append(bit.link)
            if not bit.whole:
                _run(element if bit.link is None else bit.link, text, formats.get(bit.format))
        _cleared(element, before - sum(len(bit.whole) + (bit.link is not None) for bit in elements))

    pieces = len(elements) + 1  # each of them a run of its own
    return Paragraph("".join(out), put, pieces * _weight(formats.get(usual), usual))


def _flat(tree: Iterable[Node]) -> Iterator[Node]:
    """Each element behind the one that an answer has it in: a run has no others in it."""
    for node in tree:
        yield node
        if not isinstance(node, str):
            yield from _flat(one for one in node[1] if not isinstance(one, str))


def _cleared(paragraph: Element, first: int) -> None:
    """Without the first so many children, but for its properties.

    What stays was moved within the document before, never taken out and put back: lxml takes a time that grows with
    the square of an element's size to take it out while it is known here.
    """
    properties = list(paragraph.iterchildren(f"{W}pPr"))
    for one in reversed(properties):
        if paragraph[0] is not one:
            paragraph.insert(0, one)
    del paragraph[len(properties) : first]


def _bits(paragraph: Element) -> tuple[list[_Bit], dict[str, Element]]:
    """What is in it, and the formats by their keys."""
    out, formats = list[_Bit](), dict[str, Element]()
    depth = 0  # of complex fields: from their beginning to their end they stay whole
    for child in paragraph:
        if child.tag == f"{W}pPr":
            continue
        text = _text(child)
        marks = [one.get(f"{W}fldCharType") for one in child.iter(f"{W}fldChar")] if text is None else []
        linked = child.tag == f"{W}hyperlink"
        format_ = None if text is None else child.find(f"{W}r/{W}rPr" if linked else f"{W}rPr")
        if text is None or depth or _weight(format_, key := _key(format_)) > FORMAT:
            if out and out[-1].whole:
                out[-1].whole.append(child)
            else:
                out.append(_Bit(whole=[child]))
        else:
            if format_ is not None and key not in formats:
                formats[key] = deepcopy(format_)
            if not linked and out and out[-1].plain and out[-1].format == key:
                out[-1].said.append(text)
            else:
                out.append(_Bit([text], key, child if linked else None))
        depth += marks.count("begin") - marks.count("end")
    return out, formats


def _text(element: Element) -> str | None:
    """What a run or a link says, if it is nothing but text."""
    linked = element.tag == f"{W}hyperlink"
    if not linked and element.tag != f"{W}r":
        return None
    said_: list[str] = []
    for child in element:
        if not linked and child.tag == f"{W}t" and not len(child):
            said_.append(child.text or "")
        elif not linked and child.tag == f"{W}rPr":
            continue
        elif not linked or (inner := _text(child)) is None:
            return None
        else:
            said_.append(inner)
    return "".join(said_) if said_ or not linked else None


def _key(format_: Element | None) -> str:
    """What a format says: the same for those that say the same."""
    if format_ is None:
        return ""
    return repr([(one.tag, len(one), one.text, sorted(one.attrib.items())) for one in format_.iter()])


def _weight(format_: Element | None, key: str) -> int:
    """How much a copy of a format takes, in elements."""
    if format_ is None:
        return 1
    return sum(1 + len(one.attrib) for one in format_.iter()) + len(key) // LONG


def _run(parent: Element, text: str, format_: Element | None) -> None:
    run = etree.SubElement(parent, f"{W}r")
    if format_ is not None:
        run.append(deepcopy(format_))
    said_ = etree.SubElement(run, f"{W}t")
    said_.text = allowed(text)
    said_.set(SPACE, "preserve")
