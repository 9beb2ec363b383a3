"""Subtitles (SubRip) as texts: each cue one, its lines joined for the model and broken anew in the answer.

Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import srt

from bundle.text import has_words
from service.errors import FileBroken
from service.markup.files.opened import Limits, Opened
from service.markup.files.plain import read, within


def opened(data: bytes, limits: Limits) -> Opened:
    """A file of subtitles; numbers and times stay.

    Raises:
        FileBroken: it is none.
    """
    try:
        cues = list(srt.parse(within(read(data), limits)))
    except (srt.SRTParseError, ValueError, OverflowError):
        raise FileBroken("The file is not SubRip as we read it.") from None
    if not cues:
        raise FileBroken("The file has no subtitles.")
    said = [cue for cue in cues if has_words(cue.content)]

    def close(answers: Sequence[str]) -> bytes:
        each = iter(answers)
        new = [_with(cue, next(each)) if has_words(cue.content) else cue for cue in cues]
        return str(srt.compose(new, reindex=False)).encode("utf-8", "replace")

    return Opened([" ".join(cue.content.split()) for cue in said], close)


def _with(cue: srt.Subtitle, answer: str) -> srt.Subtitle:
    """A cue that says something else, on as many lines, about equally long."""
    lines = len(cue.content.strip().splitlines())
    width = max(len(word) for word in answer.split()) if answer.split() else 1
    width = max(width, -(-len(answer) // lines))
    broken = wrap(answer, width, break_long_words=False, break_on_hyphens=False)
    while len(broken) > lines and width < len(answer):
        width += 1
        broken = wrap(answer, width, break_long_words=False, break_on_hyphens=False)
    return srt.Subtitle(cue.index, cue.start, cue.end, "\n".join(broken) if lines > 1 else answer, cue.proprietary)
