"""A paragraph of elements as a fragment of HTML with numbered tags, and an answer's tags as the elements again.

Knows nothing of any kind of document.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Node = str | tuple[int, list["Node"]]  # text, or an element by its number with what is in it
TAG = re.compile(r'<u id="(\d+)">|(</u>)|<img id="(\d+)">')


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a document as a text with tags."""

    text: str
    put: Callable[[str], None]  # an answer in place of the text
    more: int = 0  # elements that putting it may add


def around(number: int, inner: str) -> str:
    """An element with text in it."""
    return f'<u id="{number}">{inner}</u>'


def point(number: int) -> str:
    """An element that is kept with all that is in it."""
    return f'<img id="{number}">'


def nodes(answer: str, count: int) -> list[Node]:
    """An answer as a tree in which each of so many elements is once; what should be missing is put at the end."""
    root: list[Node] = []
    path: list[list[Node]] = [root]
    last, seen = 0, set[int]()
    for tag in TAG.finditer(answer):
        _say(path[-1], answer[last : tag.start()])
        last = tag.end()
        number = next((int(one) for one in (tag[1], tag[3]) if one is not None), -1)
        if tag[2]:
            path.pop() if len(path) > 1 else None
        elif number < count and number not in seen:
            seen.add(number)
            inside: list[Node] = []
            path[-1].append((number, inside))
            if tag[1] is not None:
                path.append(inside)
    _say(path[-1], answer[last:])
    return [*root, *((number, list[Node]()) for number in range(count) if number not in seen)]


def _say(where: list[Node], text: str) -> None:
    if text:
        where.append(html.unescape(text))


def said(tree: Sequence[Node]) -> str:
    """All the text of it."""
    return "".join(_texts(tree))


def _texts(tree: Sequence[Node]) -> Iterator[str]:
    for node in tree:
        if isinstance(node, str):
            yield node
        else:
            yield from _texts(node[1])


def allowed(text: str) -> str:
    """Without the characters that XML cannot have."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
