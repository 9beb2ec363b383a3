"""Subtitles (SubRip) as texts: each cue one, its lines joined for the model and broken anew in the answer.

Knows nothing of models.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from textwrap import wrap

import srt

from bundle.text import has_words
from service.errors import FileBroken
from service.markup.files.opened import Limits, Opened
from service.markup.files.plain import read, within

TIME = r"([0-9]{1,4}[,.:，．。：][0-9]{1,4}[,.:，．。：][0-9]{1,4}[,.:，．。：]?[0-9]{0,9})"
HEAD = re.compile(rf"[ \t]{{0,9}}{TIME} {{0,9}}-[ -] {{0,9}}> {{0,9}}{TIME} ?(.*)")  # bounded: see `_cues`
NUMBER = re.compile(r"\s{0,9}(-?[0-9]{1,9})(?:\.[0-9]{0,9})?\s{0,9}")


def opened(data: bytes, limits: Limits) -> Opened:
    """A file of subtitles; numbers and times stay.

    Raises:
        FileBroken: it is none.
    """
    cues = list[srt.Subtitle]()
    for cue in _cues(within(read(data), limits)):
        cues.append(cue)
        if len(cues) > limits.texts:
            raise FileBroken("The file has too many texts.", limit=limits.texts)
    if not cues:
        raise FileBroken("The file has no subtitles.")
    said = [cue for cue in cues if has_words(cue.content)]

    def close(answers: Sequence[str]) -> bytes:
        each = iter(answers)
        new = [_with(cue, next(each)) if has_words(cue.content) else cue for cue in cues]
        return str(srt.compose(new, reindex=False)).encode("utf-8", "replace")

    return Opened([" ".join(cue.content.split()) for cue in said], close)


def _cues(whole: str) -> Iterator[srt.Subtitle]:
    """The cues, by the lines with times: `srt.parse` takes hours for a file that is one long number.

    Raises:
        FileBroken: there is something else before the first.
    """
    lines = whole.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    heads = [(i, head) for i, line in enumerate(lines) if (head := HEAD.fullmatch(line))]
    begins = [i - 1 if i > 0 and NUMBER.fullmatch(lines[i - 1]) else i for i, _ in heads]
    if any(line.strip() for line in lines[: begins[0] if begins else len(lines)]):
        raise FileBroken("The file is not SubRip as we read it.")
    for (i, head), first, end in zip(heads, begins, [*begins, len(lines)][1:], strict=True):
        number = NUMBER.fullmatch(lines[i - 1]) if first < i else None
        start, stop = (srt.srt_timestamp_to_timedelta(head[which]) for which in (1, 2))
        content = "\n".join(lines[i + 1 : end]).rstrip("\n")
        yield srt.Subtitle(int(number[1]) if number else None, start, stop, content, head[3])


def _with(cue: srt.Subtitle, answer: str) -> srt.Subtitle:
    """A cue that says something else, on as many lines, about equally long."""
    lines = len(cue.content.strip().splitlines())
    longest = max(map(len, answer.split()), default=0)
    least = max(-(-len(answer) // lines), longest)

    def broken(width: int) -> list[str]:
        return wrap(answer, max(1, width), break_long_words=False, break_on_hyphens=False)

    # the narrowest that fits, by halves: one by one takes minutes where there is a very long word
    more = bisect_left(range(least, least + longest), True, key=lambda width: len(broken(width)) <= lines)
    content = "\n".join(broken(least + more)) if lines > 1 else answer
    return srt.Subtitle(cue.index, cue.start, cue.end, content, cue.proprietary)
