"""What an opened file is: its texts, and what makes the file of their answers.

Knows nothing of any kind of file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """What a file may hold at most."""

    texts: int = 20_000
    characters: int = 2_000_000  # of all texts
    unpacked: int = 64 * 2**20  # bytes, of a file that is an archive
    entries: int = 2000  # of such a file
    elements: int = 1_000_000  # of its XML, tags and attributes: a tree takes 130 to 290 bytes for each
    nested: int = 8  # paragraphs in one another: notes, tables and frames; each reads all that is in it
    namespaces: int = 500  # at one place, through which each element looks that is put there; Word has some 40
    lines: int = 5000  # of a catalogue, in a row without a keyword: polib copies what it has for each


@dataclass(frozen=True)
class Opened:
    """`close` makes the file of as many answers as there are texts, in order."""

    texts: Sequence[str]
    close: Callable[[Sequence[str]], bytes]
    format: Literal["text", "html"] = "text"
