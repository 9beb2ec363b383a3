"""A text with what must be kept in it: where it may be cut into sentences, and what each of those keeps.

Knows nothing of models and of how sentences are told: it says what a splitter should read, in which everything that is
kept looks like a word and every tag like white space, at the very places where they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service.markup.html import runs
from service.markup.placeholders import Span, apart, placeholders, terms
from service.markup.unread import unread

Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Marked:
    """`ranges` is what is to be translated of it, in order; the rest stays as it is."""

    text: str
    spans: Sequence[Span]
    ranges: Ranges
    html: bool = False

    def copying(self, strange: set[str]) -> Marked:
        """The same, where what a model does not read is kept as well: words with these characters, numbers."""
        more = unread(self.text, strange, self._free())
        if not more:
            return self
        if any(span.kind in ("open", "close") for span in self.spans):  # tags are nested without regard to brackets
            more = [one._replace(kind="point") if one.kind in ("open", "close") else one for one in more]
        return replace(self, spans=apart(self.spans, more))

    def _free(self) -> Iterator[tuple[int, int]]:
        """What is to be translated and not kept already."""
        for start, end in self.ranges:
            last = start
            for span in self.within(start, end):
                yield last, start + span.start
                last = start + span.end
            yield last, end

    def within(self, start: int, end: int) -> list[Span]:
        """What a part of it keeps, counted from the part's start."""
        first, last = (bisect_left(self.spans, at, key=lambda span: span.start) for at in (start, end))
        return [one._replace(start=one.start - start, end=one.end - start) for one in self.spans[first:last]]

    def sentences(self, split: Callable[[str], Ranges]) -> list[tuple[int, int]]:
        """Where its sentences are, told by a function that sees readable text; none ends within what is kept."""
        found: list[tuple[int, int]] = []
        for start, end in self.ranges:
            within = self.within(start, end)
            solid = [span for span in within if _solid(span)]
            last = -1
            for first, stop in split(readable(self.text[start:end], within, html=self.html)):
                if last >= 0 and _meets(solid, last, first):
                    found[-1] = (found[-1][0], start + stop)
                else:
                    found.append((start + first, start + stop))
                last = stop
        whole = (len(self.text) - len(self.text.lstrip()), len(self.text.rstrip()))
        return _with_tags(found, self.spans) or [whole]  # nothing but tags: it is answered as it is

    def read(self) -> str:
        """What a model reads of it, without what stands for what is kept."""
        return " ".join(self._between(*one) for one in self.ranges)

    def _between(self, start: int, end: int) -> str:
        out, last = [], start
        for span in self.within(start, end):
            out += [self.text[last : start + span.start], span.says if span.kind == "spelled" else " "]
            last = start + span.end
        return "".join([*out, self.text[last:end]])


def readable(text: str, spans: Sequence[Span], *, html: bool) -> str:
    """The text, as long as it is, with words for names, spaces for tags, and what entities spell."""
    out, last = [], 0
    for span in spans:
        size = span.end - span.start
        out.append(text[last : span.start])
        if span.kind == "spelled":
            out.append((span.says + ("x" if span.says.isalnum() else " ") * size)[:size])
        elif span.kind == "name":
            out.append(("N" + "x" * size)[:size])
        else:
            out.append(text[span.start : span.end] if span.kind == "read" else " " * size)
        last = span.end
    read = "".join([*out, text[last:]])
    return read.replace("\n", " ").replace("\r", " ") if html else read


def marked(
    text: str, protect: Ranges = (), glossary: Mapping[str, str] | None = None, *, find: bool = True, html: bool = False
) -> Marked:
    """A text, or HTML, with what is protected in it, a glossary's terms, and placeholders if they are looked for."""
    asked = [Span(start, end, text[start:end]) for start, end in _merged(protect)]
    wanted = terms(text, glossary or {})
    if not html:
        return Marked(text, apart(asked, placeholders(text) if find else (), wanted), [(0, len(text))])
    each = runs(text, find=find)
    if not each:
        said = text.strip()
        first = text.index(said)
        return Marked(text, [Span(first, first + len(said), said)] if said else [], [(0, len(text))], html=True)
    inner = [one._replace(start=one.start + run.start, end=one.end + run.start) for run in each for one in run.spans]
    ranges = [(run.start, run.end) for run in each]
    tags = [one for one in inner if _tag(one)]
    free = [one for one in asked if not _meets(tags, one.start, one.end)]
    return Marked(text, apart(free, inner, [one for one in wanted if _inside(one, ranges)]), ranges, html=True)


def _with_tags(found: Ranges, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Sentences with the tags before and behind them whose other halves they have."""
    halves: dict[int, int] = {}  # where a tag begins to where its other half does
    opened: list[Span] = []
    for span in spans:
        if span.kind == "open":
            opened.append(span)
        elif span.kind == "close" and opened:
            half = opened.pop()
            halves |= {half.start: span.start, span.start: half.start}
    tags = [span for span in spans if span.start in halves]
    at = [span.start for span in tags]
    out = []
    for i, (start, end) in enumerate(found):
        before = tags[bisect_left(at, found[i - 1][1] if i else 0) : bisect_left(at, start)]
        behind = tags[bisect_left(at, end) : bisect_left(at, found[i + 1][0]) if i + 1 < len(found) else len(at)]
        first = min((one.start for one in before if start <= halves[one.start] < end), default=start)
        last = max((one.end for one in behind if start <= halves[one.start] < end), default=end)
        out.append((first, last))
    return out


def _merged(ranges: Ranges) -> Ranges:
    """Ranges in order, and those that meet as one."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def _meets(spans: Sequence[Span], start: int, end: int) -> bool:
    """Whether one of these, which are in order and apart, begins before the end and ends behind the start."""
    at = bisect_left(spans, end, key=lambda one: one.start)
    return at > 0 and start < spans[at - 1].end


def _solid(span: Span) -> bool:
    return span.kind in ("name", "read", "spelled")


def _tag(span: Span) -> bool:
    return span.kind in ("open", "close", "point") or span.says.startswith("<")


def _inside(span: Span, ranges: Ranges) -> bool:
    at = bisect_left(ranges, span.start + 1, key=lambda one: one[0]) - 1
    return at >= 0 and ranges[at][0] <= span.start and span.end <= ranges[at][1]
