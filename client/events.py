"""Server-sent events: bytes in, typed events out, by the grammar of the HTML standard.

Knows nothing of connections: whoever has the bytes feeds them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .errors import Broken, of_problem
from .maps import GridKeys, TextKeys
from .reading import Unreadable, read
from .results import Result

LINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Start:
    """One for each input, before anything is said about it: what rows of weights will look at.

    Of a text of several sentences one for each, told one after the other.
    """

    input: int
    id: str
    model: str
    keys: TextKeys | GridKeys
    layer: int | None = None
    head: int | str | None = None
    sentence: int | None = None  # which of its text's, where that has several


@dataclass(frozen=True, kw_only=True)
class Token:
    """A piece of an answer."""

    index: int
    id: int
    text: str
    start: int
    end: int
    logprob: float
    attention: Any = None  # soft: a weight for each key; hard: the strongest key; full: layers × heads × keys
    gate: float | None = None
    window: tuple[int, ...] | None = None
    sampled: int | None = None


@dataclass(frozen=True, kw_only=True)
class TokenEvent(Token):
    """Of a greedy answer: it will not be taken back."""

    input: int
    sentence: int | None = None


@dataclass(frozen=True)
class HypothesisEvent:
    """The best unfinished answer of a beam: the first `kept` tokens told before still stand, these follow."""

    input: int
    kept: int
    text: str
    tokens: list[Token]
    sentence: int | None = None


@dataclass(frozen=True)
class Done:
    """The whole result for one input."""

    input: int
    id: str
    model: str
    timings: dict[str, float]
    result: Result


Event = Start | TokenEvent | HypothesisEvent | Done
KINDS: dict[str, type[Any]] = {"start": Start, "token": TokenEvent, "hypothesis": HypothesisEvent}


class Parser:
    """Takes bytes as they come, however they are cut; `open` is how many inputs have begun and not ended."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self.rest = ""
        self.name = ""
        self.data: list[str] = []
        self.open, self.begun = 0, False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that are complete now.

        Raises:
            HeedError: the server told of an error.
            Broken: it told what cannot be understood.
        """
        text = self.rest + self.decoder.decode(chunk)
        held = text.endswith("\r")  # the other half of a line's end may come
        *lines, self.rest = LINE.split(text[:-1] if held else text)
        self.rest += "\r" * held
        for line in lines:
            event = self._line(line)
            if event is not None:
                yield event

    def _line(self, line: str) -> Event | None:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                self.name = value
            elif name == "data":
                self.data.append(value)
            return None
        name, data = self.name, "\n".join(self.data)
        self.name, self.data = "", []
        return self._event(name, data) if data else None

    def _event(self, name: str, data: str) -> Event | None:
        try:
            told = json.loads(data)
            if name == "error":
                raise of_problem(told)
            if name == "done":
                self.open -= 1
                head = {field: told[field] for field in ("input", "id", "model", "timings")}
                return Done(**head, result=read(Result, told))
            if name not in KINDS:
                return None  # a newer server's
            self.open += name == "start"
            self.begun = True
            event: Event = read(KINDS[name], told)
        except (ValueError, KeyError, TypeError, Unreadable) as odd:
            raise Broken(f"an event that cannot be read: {odd}", code="unreadable_answer") from odd
        return event
