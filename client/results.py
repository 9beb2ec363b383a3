"""What a server answers, typed: answers, results, cards. Unknown fields stay in `Answer.raw`.

Knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import notebook
from .maps import Alignment, AttentionMap, Item


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One hypothesis."""

    text: str
    score: float
    finish_reason: str
    confidence: float | None = None
    attention: AttentionMap | list[AttentionMap] | None = None
    alignment: Alignment | None = None

    @property
    def maps(self) -> list[AttentionMap]:
        """Its maps: one, or one for each sentence or head, or none."""
        found = self.attention
        return [] if found is None else found if isinstance(found, list) else [found]

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return notebook.result(self.text, self.maps, None)


@dataclass(frozen=True)
class Choice:
    """A piece that a step could have said."""

    id: int
    text: str
    logprob: float


@dataclass(frozen=True)
class Position:
    """A piece of an answer, and what it might have been."""

    i: int
    id: int
    text: str
    start: int
    end: int
    choices: list[Choice]


@dataclass(frozen=True)
class Edit:
    """Items `before[0]:before[1]` became items `after[0]:after[1]`."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    was: str
    became: str


@dataclass(frozen=True)
class Difference:
    """What constraints, or a prefix, changed."""

    changed: list[Edit]
    score: float
    rows: list[float | None] | None = None


@dataclass(frozen=True)
class TrustSummary:
    """How far to believe the whole map."""

    agreement: float | None = None
    flip_mask: float | None = None
    flip_uniform: float | None = None
    kendall: float | None = None


@dataclass(frozen=True)
class Piece:
    """A piece of a scored translation."""

    i: int
    id: int
    text: str
    start: int
    end: int
    logprob: float


@dataclass(frozen=True, kw_only=True)
class Translation(Candidate):
    """Of a caption; its map lies over the picture."""

    language: str
    model: str


@dataclass(frozen=True, kw_only=True)
class Result(Candidate):
    """The answer for one input."""

    language: str | None = None
    detected: Guess | None = None  # where source was `auto`
    via: Via | None = None
    hypotheses: list[Candidate] | None = None
    trust: TrustSummary | None = None
    alternatives: list[Position] | None = None
    unconstrained: Candidate | None = None
    difference: Difference | None = None
    translation: Translation | None = None
    logprob: float | None = None  # these three of a scored translation
    words: list[Item] | None = None
    tokens: list[Piece] | None = None
    picture: bytes | None = field(default=None, repr=False)  # what a caption is about, as it was sent

    def _repr_html_(self) -> str:
        said = notebook.result(self.text, self.maps, self.picture)
        if self.translation is None:
            return said
        return said + notebook.result(self.translation.text, self.translation.maps, self.picture)


@dataclass(frozen=True)
class Answer:
    """A result for each input, in order. It iterates over them; `text` is that of the first."""

    id: str
    model: str
    timings: dict[str, float]
    results: list[Result]
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """What the first result says."""
        return self.results[0].text

    @property
    def texts(self) -> list[str]:
        """What each result says."""
        return [one.text for one in self.results]

    def __str__(self) -> str:
        return "\n".join(self.texts)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, i: int) -> Result:
        return self.results[i]

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self.results)


@dataclass(frozen=True)
class Comparison:
    """The answer of each model, in the order in which they were named."""

    id: str
    answers: list[Answer]

    def _repr_html_(self) -> str:
        return "".join(notebook.titled(one.model) + one._repr_html_() for one in self.answers)


@dataclass(frozen=True)
class Guess:
    """A language that a text may be in; confidence is 0 to 1."""

    language: str
    confidence: float


@dataclass(frozen=True)
class Detected(Guess):
    """The most likely language of a text, and all that it may be, best first."""

    guesses: list[Guess] = field(default_factory=list)


@dataclass(frozen=True)
class Via:
    """What was said on the way, where two models follow one another."""

    text: str
    language: str
    model: str


@dataclass(frozen=True)
class Pair:
    """What a translator translates."""

    source: str
    target: str


@dataclass(frozen=True)
class Card:
    """A loaded model; `raw` has everything that its card says."""

    id: str
    name: str
    version: str
    task: str
    source: str | None = None  # None for pictures, or where there are several
    target: str | None = None
    pairs: list[Pair] = field(default_factory=list)
    default: bool = True
    architecture: str = ""
    description: str = ""
    licence: str = ""
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Health:
    """A server that takes requests, and its models."""

    status: str
    models: list[str] = field(default_factory=list)
