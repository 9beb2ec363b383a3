"""Files as texts and back: what each kind has to be translated, and the same file with the answers in it.

Knows nothing of models, requests or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from sys import getsizeof

from service.errors import FileBroken, FileUnknown
from service.markup.files import catalogue, office, plain, subtitles
from service.markup.files.opened import Limits, Opened

Opener = Callable[[bytes, Limits], Opened]
KINDS: dict[str, tuple[str, Opener]] = {  # by ending: its media type, and what opens it
    ".txt": ("text/plain; charset=utf-8", plain.text),
    ".html": ("text/html; charset=utf-8", plain.page),
    ".htm": ("text/html; charset=utf-8", plain.page),
    ".srt": ("application/x-subrip; charset=utf-8", subtitles.opened),
    ".po": ("text/x-gettext-translation; charset=utf-8", catalogue.opened),
    ".docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", office.docx),
    ".odt": ("application/vnd.oasis.opendocument.text", office.open_document),
}


@dataclass(frozen=True)
class File:
    """A file that was opened; `name` is safe to offer as a download's, `held` is how many bytes it keeps.

    What it was parsed into, which may take fifty times as much, is not kept: it is opened once more to be closed.
    """

    name: str
    media: str
    opened: Opened
    held: int


def opened(name: str, data: bytes, limits: Limits) -> File:
    """A file by its name's ending.

    Raises:
        FileUnknown: no such kind is translated.
        FileBroken: it is not of that kind, or beyond a limit.
    """
    path = PurePath(name.replace("\\", "/"))
    ending = path.suffix.lower()
    if ending not in KINDS:
        raise FileUnknown(f"A file may end in {', '.join(KINDS)}.")
    media, opener = KINDS[ending]
    found = opener(data, limits)
    if len(found.texts) > limits.texts:
        raise FileBroken("The file has too many texts.", limit=limits.texts, actual=len(found.texts))
    stem = "".join(character for character in path.stem if character.isalnum() or character in "-_ .")[:80].strip(" .")
    again = Opened(found.texts, lambda answers: opener(data, limits).close(answers), found.format)
    held = len(data) + 2 * sum(map(getsizeof, found.texts))  # the answers are about as long
    return File(f"{stem or 'file'}{ending}", media, again, held)
