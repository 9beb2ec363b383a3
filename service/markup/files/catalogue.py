"""Catalogues of programs (gettext's .po) as texts: what is not translated yet.

Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence

import polib

from bundle.text import has_words
from service.errors import FileBroken
from service.markup.files.opened import Limits, Opened
from service.markup.files.plain import read, within


def opened(data: bytes, limits: Limits) -> Opened:
    """A catalogue; an answer is marked fuzzy, since nobody has read it. Entries with plurals stay as they are.

    Raises:
        FileBroken: it is none.
    """
    said = within(read(data), limits)
    if "msgid" not in said:
        raise FileBroken("The file is no catalogue.")  # polib would take it for the name of a file
    if _longest(said) > limits.lines:
        raise FileBroken("The file has an entry of too many lines.", limit=limits.lines)
    try:
        catalogue = polib.pofile(said)
    except (OSError, ValueError, IndexError):
        raise FileBroken("The file is no catalogue as we read it.") from None
    todo = [
        entry
        for entry in catalogue
        if not (entry.msgstr or entry.msgid_plural or entry.obsolete) and has_words(entry.msgid)
    ]

    def close(answers: Sequence[str]) -> bytes:
        for entry, answer in zip(todo, answers, strict=True):
            entry.msgstr = _ends(entry.msgid, answer)
            if "fuzzy" not in entry.flags:
                entry.flags.append("fuzzy")
        catalogue.metadata["Content-Type"] = "text/plain; charset=UTF-8"
        return str(catalogue).encode("utf-8", "replace")

    return Opened([entry.msgid for entry in todo], close)


def _longest(said: str) -> int:
    """How many lines there are at most between two keywords."""
    longest = row = 0
    for line in said.splitlines():
        row = 0 if line.lstrip().startswith("msg") else row + 1
        longest = max(longest, row)
    return longest


def _ends(asked: str, answer: str) -> str:
    """The answer, with a line end where gettext wants one: at the beginning and the end, as in what was asked."""
    return "\n" * asked.startswith("\n") + answer.strip("\n") + "\n" * asked.endswith("\n")
