"""A long text as sentences, each of which is a job of its own; and their answers as one answer to the whole text.

Knows nothing of HTTP, engines or any one task. What lies between sentences, white space and what has no words, goes
into the answer as it is. Where a sentence ends is sentencex's to say, but for what it is known to get wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from sentencex import get_sentence_boundaries

from bundle.text import Piece, has_words
from service.maps.alignment import Alignment
from service.maps.alignment import moved as moved_links
from service.maps.envelope import AttentionMap, OffsetUnit
from service.maps.offsets import moved, width
from service.maps.view import View
from service.tasks.answer import Candidate, Position, Result, TrustSummary, Via
from service.telemetry.confidence import together

LINE = re.compile("[^\r\n\v\f\x85\u2028\u2029]+")  # a line break ends a sentence: it is to stand in the answer
INNER = re.compile(r"[.!?…。！？‽]['\"»“”’)\]]*\s*\S")  # a mark, and something after it
ABBREVIATED = {  # what sentencex takes for the end of a sentence and is none, before a capital
    "de": re.compile(r"(?:^|\s)\d{1,2}\.\s*$"),  # Im 19. Jahrhundert
    "fr": re.compile(r"(?:^|[\s'’(])(?:MM?|M(?:me|lle|gr)s?|Drs?|Prof|[Nn]os?|St|J)\.\s*$"),
    "es": re.compile(r"(?:^|\s)(?:[Nn]úm|[Pp]ágs?|Bs|EE)\.\s*$"),
}
TAIL = 16  # characters, more than any of them has
SMALL = re.compile(r"[\s\-—–(]*[^\W\d_]")  # the first letter, after what may stand before it
CLAUSES = (";:", ",–—،、，；：")  # marks after which a sentence that is too long is cut, the best first


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of one of a request's texts, and what lies around it there."""

    input: int  # which of the texts
    before: str  # since the end of the sentence before
    text: str
    after: str = ""  # up to the end of the whole text, for the last one
    alone: bool = True  # whether there is no other
    number: int = 0  # which of its text's sentences it is


class Span(NamedTuple):
    """Where a sentence begins and ends in its text, and its pieces, if they were cut to count them."""

    start: int
    end: int
    pieces: Sequence[Piece] | None = None


def split(text: str, language: str, pieces: Callable[[str], Sequence[Piece]], most: int) -> list[Span]:
    """Where the sentences of a text begin and end; none has more pieces than that.

    Without white space around them, and without those that have no words.
    """
    found: list[Span] = []
    for line in LINE.finditer(text):
        for first, last in _sentences(line.group(), language):
            start, end = _stripped(text, line.start() + first, line.start() + last)
            if has_words(text[start:end]):
                found += _short(text, start, end, pieces(text[start:end]), most)
    return found


def parts(text: str, spans: Sequence[Span], input_: int) -> list[Part]:
    """The sentences with what lies around them."""
    ends = [0, *(span.end for span in spans)]
    last = len(spans) - 1
    return [
        Part(input_, text[ends[i] : start], text[start:end], text[end:] if i == last else "", not last, i)
        for i, (start, end, _) in enumerate(spans)
    ]


def _sentences(line: str, language: str) -> Iterator[tuple[int, int]]:
    if not INNER.search(line.rstrip()):
        yield 0, len(line)
        return
    primary = language.partition("-")[0].lower()
    open_, seen, end = 0, 0, 0
    small, capital = False, False  # letters of line[open_:seen]: a sentence that goes on for long is not read again
    for found in get_sentence_boundaries(primary, line):
        start = found["start_index"]
        if open_ < end <= start:
            part, seen = line[seen:end], end
            small, capital = small or part.islower(), capital or not f"{part}a".islower()
            after = line[start : found["end_index"]]
            if not (_begins_small(after, small and not capital) or _abbreviated(line, open_, end, primary)):
                yield open_, end
                open_, seen, small, capital = start, start, False, False
        end = found["end_index"]
    yield open_, len(line)


def _begins_small(after: str, small: bool) -> bool:
    """Whether a sentence begins with a small letter, and what is before it is not all in those."""
    letter = SMALL.match(after)
    return letter is not None and letter.group()[-1].islower() and not small


def _abbreviated(line: str, start: int, end: int, language: str) -> bool:
    """Whether what seems to be a sentence ends in an abbreviation."""
    known = ABBREVIATED.get(language)
    if known is None:
        return False
    while end > start and line[end - 1].isspace():
        end -= 1
    return known.search(line[max(start, end - TAIL) : end]) is not None


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    whole = text[start:end]
    return start + len(whole) - len(whole.lstrip()), end - (len(whole) - len(whole.rstrip()))


def _short(text: str, start: int, end: int, cut: Sequence[Piece], most: int) -> Iterator[Span]:
    """A sentence, or the clauses of one that has too many pieces; cut at spaces, or anywhere, where there are none."""
    if len(cut) <= most:
        yield Span(start, end, cut)
        return
    first, at, sentence = 0, 0, text[start:end]  # pieces, and characters of the sentence
    while len(cut) - first > most:
        first = _clause(sentence, cut, first, most)
        yield Span(*_stripped(text, start + at, start + cut[first].start))
        at = cut[first].start
    yield Span(start + at, end)


def _clause(sentence: str, cut: Sequence[Piece], first: int, most: int) -> int:
    """The piece that begins the next clause: in the second half of what can be read, after the best mark there is."""
    last = first + most
    for marks in CLAUSES:
        for i in range(last, first + most // 2, -1):
            if cut[i].opens and sentence[cut[first].start : cut[i].start].rstrip()[-1:] in tuple(marks):
                return i
    return next((i for i in range(last, first, -1) if cut[i].opens and cut[i].start > cut[first].start), last)


R = TypeVar("R")


def by_text(parts_: Sequence[Part | None], each: Sequence[R]) -> Iterator[tuple[list[Part], list[R]]]:
    """What came of each sentence, by the text that it is of; an input that has no parts is one by itself."""
    at = 0
    while at < len(parts_):
        first, end = parts_[at], at + 1
        while first is not None and end < len(parts_) and (other := parts_[end]) and other.input == first.input:
            end += 1
        yield [part for part in parts_[at:end] if part is not None], list(each[at:end])
        at = end


def joined(parts_: Sequence[Part], results: Sequence[Result], unit: OffsetUnit) -> Result:
    """The answer to a whole text from those to its sentences, every offset counted in the whole, both ways."""
    if not parts_ or (len(parts_) == 1 and not (parts_[0].before or parts_[0].after)):
        return results[0]
    first = results[0]
    hypotheses = [one.hypotheses for one in results if one.hypotheses is not None]
    ranks = max(map(len, hypotheses), default=0)
    best = _laid_out(parts_, results, unit)
    others = [_laid_out(parts_, [one[min(rank, len(one) - 1)] for one in hypotheses], unit) for rank in range(ranks)]
    return first.model_copy(
        update=dict(best)
        | {
            "hypotheses": others or None,
            "alternatives": _positions(parts_, results, unit),
            "trust": _trust(results),
            "via": _via(parts_, results),
        }
    )


def _laid_out(parts_: Sequence[Part], said: Sequence[Candidate], unit: OffsetUnit) -> Candidate:
    """The best of each sentence as one candidate."""
    maps: list[AttentionMap] = []
    links: list[Alignment] = []
    source = target = words = spoken = 0
    for part, one in zip(parts_, said, strict=True):
        source, target = source + width(part.before, unit), target + width(part.before, unit)
        its = one.attention if isinstance(one.attention, list) else [one.attention] if one.attention else []
        maps += [moved(map_, source, target) for map_ in its]
        if one.alignment is not None:
            links.append(moved_links(one.alignment, (source, target), (words, spoken)))
            words, spoken = words + one.alignment.words[0], spoken + one.alignment.words[1]
        source, target = source + width(part.text, unit), target + width(one.text, unit)
    several = len(parts_) > 1 or any(isinstance(one.attention, list) for one in said)
    return Candidate(
        text=text_of(parts_, [one.text for one in said]),
        score=round(sum(one.score for one in said) / len(said), 6),
        confidence=together([one.confidence for one in said]),
        finish_reason="length" if any(one.finish_reason == "length" for one in said) else "stop",
        attention=(maps if several else maps[0]) if maps else None,
        alignment=_together(links) if links else None,
    )


def _together(links: Sequence[Alignment]) -> Alignment:
    proj, pharaoh = (" ".join(filter(None, (getattr(one, name) for one in links))) for name in ("proj", "pharaoh"))
    return Alignment(proj=proj, pharaoh=pharaoh)


def text_of(parts_: Sequence[Part], said: Sequence[str]) -> str:
    """What was said of each sentence, with what lies between them."""
    return "".join(part.before + text + part.after for part, text in zip(parts_, said, strict=True))


def _positions(parts_: Sequence[Part], results: Sequence[Result], unit: OffsetUnit) -> list[Position] | None:
    if results[0].alternatives is None:
        return None
    out: list[Position] = []
    at = 0
    for part, one in zip(parts_, results, strict=True):
        at += width(part.before, unit)
        for place in one.alternatives or ():
            moves = {"i": len(out), "start": at + place.start, "end": at + place.end}
            out.append(place.model_copy(update=moves))
        at += width(one.text, unit)
    return out


def _trust(results: Sequence[Result]) -> TrustSummary | None:
    """The mean of each figure over the sentences that have it."""
    told = [one.trust.model_dump(exclude_none=True) for one in results if one.trust is not None]
    if not told:
        return None
    means = {name: [one[name] for one in told if name in one] for name in TrustSummary.model_fields}
    return TrustSummary(**{name: round(sum(all_) / len(all_), 4) for name, all_ in means.items() if all_})


def _via(parts_: Sequence[Part], results: Sequence[Result]) -> Via | None:
    first = results[0].via
    if first is None:
        return None
    return first.model_copy(update={"text": text_of(parts_, [one.via.text if one.via else "" for one in results])})


def views(parts_: Sequence[Part], each: Sequence[View]) -> list[View]:
    """The whole answer, and then each sentence with its map."""
    if len(parts_) < 2:
        return list(each)
    text = text_of(parts_, [view.answer for view in each])
    return [View(each[0].title, text, None, None), *each]
