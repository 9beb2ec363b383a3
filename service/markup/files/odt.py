"""A paragraph of OpenDocument's: its spans and links as tags, and an answer in place of them.

Knows nothing of documents. What is no text in it (pictures, notes, fields, tabs) moves with the words around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lxml import etree

from service.markup.files.inline import Node, Paragraph, allowed, around, nodes, point
from service.markup.html import escaped

Element = etree._Element
T = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
WITH_TEXT = (f"{T}span", f"{T}a")


def paragraph(element: Element) -> Paragraph:
    """One as a text."""
    elements: list[Element] = []
    text = _fragment(element, elements)
    return Paragraph(text, lambda answer: _put(element, elements, nodes(answer, len(elements))))


def _fragment(parent: Element, elements: list[Element]) -> str:
    """What is in an element, whose elements are numbered behind those that have been."""
    out = [escaped(parent.text or "")]
    for child in parent:
        if child.tag == f"{T}s" and not len(child):
            out.append(" ")
        else:
            elements.append(child)
            number = len(elements) - 1
            out.append(around(number, _fragment(child, elements)) if child.tag in WITH_TEXT else point(number))
        out.append(escaped(child.tail or ""))
    return "".join(out)


def _put(element: Element, elements: Sequence[Element], tree: Iterable[Node]) -> None:
    """These nodes in place of what is in the paragraph.

    Elements are moved within the document, never taken out and put back: lxml takes a time that grows with the square
    of an element's size to take it out.
    """
    aside = etree.Element("aside")
    element.insert(0, aside)
    for child in reversed(elements):  # what is inside of others first
        child.tail = None
        aside.append(child)
    for parent in (element, *(child for child in elements if child.tag in WITH_TEXT)):
        parent.text = None
        del parent[1 if parent is element else 0 :]
    _fill(element, elements, tree)
    element.text = aside.tail
    del element[0]


def _fill(parent: Element, elements: Sequence[Element], tree: Iterable[Node]) -> None:
    for node in tree:
        if isinstance(node, str):
            _say(parent, allowed(node))
            continue
        child = elements[node[0]]
        parent.append(child)
        if child.tag in WITH_TEXT:
            _fill(child, elements, node[1])


def _say(parent: Element, text: str) -> None:
    """Text behind what is in an element already."""
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
