"""What an answer looks like on the wire, whatever the task: its results, their maps, and what came of a what-if.

Knows nothing of HTTP, engines or any one task.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.maps.alignment import Alignment
from service.maps.envelope import AttentionMap, Query

Maps = AttentionMap | list[AttentionMap] | None


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Candidate(Model):
    """One hypothesis of an answer."""

    text: str
    score: float = Field(description="sum(log p) / length ** length_penalty")
    confidence: float | None = Field(
        None,
        description="exp of the mean log-probability of its pieces and its end, 0 to 1: how sure the model was, "
        "which is not how right it is. The map's queries have it word by word.",
    )
    finish_reason: Literal["stop", "length"] = Field(
        description="length: the limit came before the end of the sentence."
    )
    attention: Maps = None
    alignment: Alignment | None = None


class Choice(Model):
    """A piece that a step could have said."""

    id: int = Field(description="In the model's vocabulary; `prefix` takes a list of these.")
    text: str = Field(description="With the space before it, if it begins a word; `</s>` ends the answer.")
    logprob: float


class Position(Model):
    """A piece of the answer and the most probable ones at its step. Of a beam, what was said need not be the first."""

    i: int
    id: int
    text: str
    start: int
    end: int
    choices: list[Choice]


class Edit(Model):
    """Items of the map's queries that differ: `before[0]` up to `before[1]` became `after[0]` up to `after[1]`."""

    before: tuple[int, int]
    after: tuple[int, int]
    was: str
    became: str


class Difference(Model):
    """What constraints, or a prefix, changed."""

    changed: list[Edit]
    score: float = Field(description="Its score less that of the answer without them.")
    rows: list[float | None] | None = Field(
        None,
        description="For each item of the answer how far its row of the map moved: total variation distance, 0 to 1; "
        "null where the item is new.",
    )


class TrustSummary(Model):
    """How far the map of this answer may be believed, in one number each; `attention.trust` has them word by word."""

    agreement: float | None = Field(
        None, description="Share of all heads whose strongest key is that of the map shown; with `attention: full`."
    )
    flip_mask: float | None = Field(
        None, description="Share of words that change if the key they attended to most is masked."
    )
    flip_uniform: float | None = Field(None, description="Share of words that change under uniform attention.")
    kendall: float | None = Field(
        None,
        description="Kendall's τ of weight and effect, from two positions a step, each left out once: the strongest "
        "and one drawn at random. 1: what has more weight always matters more; 0: as chance would have it.",
    )


class ScoredPiece(Model):
    """A piece of a scored translation, with what the model gave it after those before it; the last is its end."""

    i: int
    id: int = Field(description="In the model's vocabulary.")
    text: str
    start: int
    end: int
    logprob: float


class Translation(Model):
    """A caption's translation; each row of its map is the product of the two maps, over the picture."""

    text: str
    score: float
    finish_reason: Literal["stop", "length"]
    language: str
    model: str
    attention: AttentionMap | None = None


class Detected(Model):
    """The language that a text was found to be in, where `source` was `auto`."""

    language: str
    confidence: float = Field(description="0 to 1, among the languages that lead to the target.")


class Via(Model):
    """What was said on the way, where two models follow one another."""

    text: str
    language: str
    model: str


class Result(Candidate):
    """The answer for one input: its best hypothesis, and all of them if more than one was asked for."""

    language: str | None = Field(None, description="Language of the text.")
    detected: Detected | None = None
    via: Via | None = None
    hypotheses: list[Candidate] | None = None
    trust: TrustSummary | None = None
    alternatives: list[Position] | None = Field(None, description="For each piece of the text what it might have been.")
    unconstrained: Candidate | None = Field(None, description="The answer without the constraints, or the prefix.")
    difference: Difference | None = None
    logprob: float | None = Field(None, description="Of a scored translation: the sum over its pieces and its end.")
    words: list[Query] | None = Field(None, description="Of a scored translation: each word, with its log-probability.")
    tokens: list[ScoredPiece] | None = Field(
        None, description="Of a scored translation: the pieces that it was cut into."
    )
    translation: Translation | None = None


class Answer(Model):
    """One shape for every task: a result for each input, in order."""

    id: str
    model: str = Field(description="Which version of which model answered: `name@version`.")
    timings: dict[str, float] = Field(description="Seconds by phase; for several inputs the longest of each phase.")
    results: list[Result]
