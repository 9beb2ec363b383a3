"""An answer while it is being made: what the engine said so far of one input, as events for whoever listens.

Knows nothing of sockets, clocks or any one task. It keeps one hypothesis and no queue of events: who listens slowly
hears the same tokens later, and one answer of the longest length is all the memory that takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from bundle.manifest import Bundle
from bundle.text import SILENT
from service.maps.envelope import GridKeys, Head, TextKeys
from service.maps.offsets import places, width
from service.messages import Done, Tokens
from service.tasks.answer import Model, Result
from service.tasks.contract import Asked
from service.tasks.mapped import shown

SCALARS = ("gate", "sampled", "window_start", "window_end")  # what a model may tell of a token besides its row
MOST = 16  # tokens told at once to who is behind: the event loop is not held up by all of them together
UNFINISHED = "\ufffd"  # how a character shows of which only some bytes were said

Row = int | list[float] | list[list[list[float]]]


SENTENCE = Field(None, description="Which sentence of its text, from 0, where that has several.")


class StartEvent(Model):
    """`start`: one for each input, before anything is said about it; of a text of several sentences one for each.

    Sentences are told one after the other.
    """

    input: int = Field(description="Which of the texts it is about, from 0.")
    sentence: int | None = SENTENCE
    id: str
    model: str
    keys: TextKeys | GridKeys = Field(
        discriminator="type", description="What each row of weights looks at; places are those in the whole text."
    )
    layer: int | None = Field(None, description="Whose rows they are, unless all were asked for, or none.")
    head: Head | None = None


class Token(Model):
    """A piece of the answer. The texts of all pieces, joined, are the answer, but for white space at its end."""

    index: int = Field(description="In its sentence.")
    id: int = Field(description="In the model's vocabulary.")
    text: str = Field(description="With what stands before it: a space, or what lies between two sentences.")
    start: int = Field(description="Its place in the text so far, without that.")
    end: int
    logprob: float
    attention: Row | None = Field(
        None, description="soft: a weight for each key; hard: the strongest key; full: layers × heads × keys."
    )
    gate: float | None = None
    window: tuple[int, int] | None = Field(None, description="The first and the last key that it could look at.")
    sampled: int | None = Field(None, description="The key that its context was taken from.")


class TokenEvent(Token):
    """`token`: of a greedy answer (beam_size 1); it will not be taken back."""

    input: int
    sentence: int | None = SENTENCE


class HypothesisEvent(Model):
    """`hypothesis`: the best unfinished one of a beam. Of the tokens told before, the first `kept` still stand."""

    input: int
    sentence: int | None = SENTENCE
    kept: int
    text: str = Field(description="Of this input; of a text of several sentences that of this one.")
    tokens: list[Token] = Field(description="Those that follow the ones that were kept.")


class DoneEvent(Result):
    """`done`: the result for one input, as the answer without a stream has it."""

    input: int
    id: str
    model: str
    timings: dict[str, float] = Field(description="Seconds by phase.")


Told = tuple[Literal["start", "token", "hypothesis", "done"], Model]


class _Heard(NamedTuple):
    id: int
    logprob: float
    row: np.ndarray | None  # (S,) or (layers, heads, S)
    extras: dict[str, float]  # what else the model tells of a token


class Live:
    """One input's answer, or that to one of its sentences, from its first token to its end.

    before: what stands in the answer between the sentence before and this one; behind: how long the answer is before
    that, in the unit of offsets. Both may be set until the first token is told.
    """

    def __init__(
        self, input_: int, asked: Asked, bundle: Bundle, *, greedy: bool, sentence: int | None = None, before: str = ""
    ) -> None:
        self.input, self.asked, self.bundle, self.greedy = input_, asked, bundle, greedy
        self.sentence, self.before, self.behind = sentence, before, 0
        self.heard: list[_Heard] = []
        self.told = 0  # tokens that the listener knows
        self.stands = 0  # of those, the first that are still right
        self.ends: list[int] = []  # where each of those ends in the text, in code points
        self.done: Done | None = None

    def hear(self, said: Tokens) -> None:
        """Take in what the engine says."""
        del self.heard[said.kept :]
        rows = said.rows
        for i, id_ in enumerate(said.ids):
            if id_ not in SILENT:
                row = None if rows is None else rows[i]
                extras = {name: float(said.extras[name][i]) for name in SCALARS if name in said.extras}
                self.heard.append(_Heard(int(id_), float(said.logprobs[i]), row, extras))
        self.stands = min(self.stands, said.kept, len(self.heard))

    def finish(self, done: Done) -> None:
        """Take in the end. In greedy search its tokens are told first, those too that no step told of.

        So are those of a sentence among others, since what is told in the end is told of all of them together.
        """
        self.done = done
        if not self.greedy and self.sentence is None:
            self.stands = self.told = len(self.heard)  # the end itself says it all
            return
        best = done.hypotheses[0]
        kept = len(self.heard) if self.greedy else _common([one.id for one in self.heard], best.ids)
        rows = None if best.rows is None else best.rows[kept:]
        extras = {name: values[kept:] for name, values in best.extras.items()}
        self.hear(Tokens(done.job, kept, best.ids[kept:], best.logprobs[kept:], rows, extras))

    def news(self) -> list[Told]:
        """What the listener does not know yet, the next MOST tokens of it at most; nothing once it knows all."""
        if self.stands == self.told == len(self.heard):
            return []
        kept = self.stands
        last = min(kept + MOST, len(self.heard)) if self.greedy else len(self.heard)
        text, tokens = self._spelled(kept, last)
        self.stands = self.told = last
        whose = {"input": self.input, "sentence": self.sentence}
        if self.greedy:
            return [("token", TokenEvent(**whose, **dict(token))) for token in tokens]
        return [("hypothesis", HypothesisEvent(**whose, kept=kept, text=text, tokens=tokens))]

    def reached(self) -> int:
        """How long the answer is up to its end, in the unit of offsets; known once it is done."""
        text = self.bundle.text.spelled([one.id for one in self.heard])[0]
        return self.behind + width(self.before + text, self.asked.offsets)

    def _spelled(self, first: int, last: int) -> tuple[str, list[Token]]:
        """The text up to a token, and the tokens from `first` on. Half a character is kept back until it is whole."""
        text, pieces = self.bundle.text.spelled([one.id for one in self.heard])
        whole = len(text) if self.done else len(text.rstrip(UNFINISHED))
        unit = self.asked.offsets
        at = places(text, unit)
        behind = self.behind + width(self.before, unit)
        del self.ends[first:]
        tokens = []
        for i, heard in enumerate(self.heard[first:last], first):
            before = self.ends[-1] if self.ends else 0
            end = max(before, min(pieces[i].end, whole))
            self.ends.append(end)
            said = text[before:end]
            token = Token(
                index=i,
                id=heard.id,
                text=said if i else self.before + said,
                start=behind + at[end - len(said.lstrip())],
                end=behind + at[end],
                logprob=round(heard.logprob, 6),
                attention=self._row(heard.row),
                **_told(heard),
            )
            tokens.append(token)
        return text[: self.ends[-1] if self.ends else 0], tokens

    def _row(self, row: np.ndarray | None) -> Row | None:
        """A token's row as it was asked for, to four decimals."""
        if row is None or self.asked.attention == "none":
            return None
        if self.asked.attention == "full":
            every: Row = _rounded(row if row.ndim > 1 else row[None, None])
            return every
        one = shown(row[None], self.bundle)[0][0]
        return int(one.argmax()) if self.asked.attention == "hard" else _rounded(one)


def start(live: Live, keys: TextKeys | GridKeys, answer: str) -> StartEvent:
    """The first event about an input, or about one of its sentences; answer: the answer's id."""
    asked, bundle = live.asked, live.bundle
    there = bundle.manifest.attention  # none where the model has no attention
    usual = there[0] if there and asked.attention in ("soft", "hard") else None
    return StartEvent(
        input=live.input,
        sentence=live.sentence,
        id=answer,
        model=bundle.id,
        keys=keys,
        layer=usual and usual.default_layer,
        head=usual and usual.default_head,
    )


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How long both are the same."""
    return next((i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b)))


def _told(heard: _Heard) -> dict[str, Any]:
    """What a token tells besides its row, as `Token` has it."""
    extras = heard.extras
    told: dict[str, Any] = {}
    if "gate" in extras:
        told["gate"] = round(extras["gate"], 4)
    if "sampled" in extras:
        told["sampled"] = int(extras["sampled"])
    if "window_start" in extras and heard.row is not None:
        edges = np.array([np.ceil(extras["window_start"]), np.floor(extras["window_end"])])
        told["window"] = tuple(edges.clip(0, heard.row.shape[-1] - 1).astype(int).tolist())
    return told


def _rounded(weights: np.ndarray) -> Any:
    return weights.astype(np.float64).round(4).tolist()
