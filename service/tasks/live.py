"""An answer while it is being made: what the engine said so far of one input, as events for whoever listens.

Knows nothing of sockets, clocks or any one task. It keeps one hypothesis and no queue of events: who listens slowly
hears the same tokens later, and one answer of the longest length is all the memory that takes.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from bundle.manifest import Bundle
from bundle.text import SILENT
from service.maps.envelope import GridKeys, Head, TextKeys
from service.maps.offsets import places
from service.messages import Done, Tokens
from service.tasks.answer import Model, Result
from service.tasks.contract import Asked
from service.tasks.mapped import shown

SCALARS = ("gate", "sampled", "window_start", "window_end")  # what a model may tell of a token besides its row
MOST = 16  # tokens told at once to who is behind: the event loop is not held up by all of them together
UNFINISHED = "\ufffd"  # how a character shows of which only some bytes were said

Row = int | list[float] | list[list[list[float]]]


class StartEvent(Model):
    """`start`: one for each input, before anything is said about it."""

    input: int = Field(description="Which of the texts it is about, from 0.")
    id: str
    model: str
    keys: TextKeys | GridKeys = Field(discriminator="type", description="What each row of weights looks at.")
    layer: int | None = Field(None, description="Whose rows they are, unless all were asked for, or none.")
    head: Head | None = None


class Token(Model):
    """A piece of the answer. The texts of all pieces, joined, are the answer."""

    index: int
    id: int = Field(description="In the model's vocabulary.")
    text: str = Field(description="With the space before it, if there is one.")
    start: int = Field(description="Its place in the text so far, without that space.")
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


class HypothesisEvent(Model):
    """`hypothesis`: the best unfinished one of a beam. Of the tokens told before, the first `kept` still stand."""

    input: int
    kept: int
    text: str
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
    """One input's answer, from its first token to its end."""

    def __init__(self, input_: int, asked: Asked, bundle: Bundle, *, greedy: bool) -> None:
        self.input, self.asked, self.bundle, self.greedy = input_, asked, bundle, greedy
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
        """Take in the end. In greedy search its tokens are told first, those too that no step told of."""
        self.done = done
        if not self.greedy:
            self.stands = self.told = len(self.heard)  # the end itself says it all
            return
        best, kept = done.hypotheses[0], len(self.heard)
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
        if self.greedy:
            return [("token", TokenEvent(input=self.input, **dict(token))) for token in tokens]
        return [("hypothesis", HypothesisEvent(input=self.input, kept=kept, text=text, tokens=tokens))]

    def _spelled(self, first: int, last: int) -> tuple[str, list[Token]]:
        """The text up to a token, and the tokens from `first` on. Half a character is kept back until it is whole."""
        text, pieces = self.bundle.text.spelled([one.id for one in self.heard])
        whole = len(text) if self.done else len(text.rstrip(UNFINISHED))
        at = places(text, self.asked.offsets)
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
                text=said,
                start=at[end - len(said.lstrip())],
                end=at[end],
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


def start(input_: int, asked: Asked, bundle: Bundle, keys: TextKeys | GridKeys, answer: str) -> StartEvent:
    """The first event about an input; answer: the answer's id."""
    there = bundle.manifest.attention  # none where the model has no attention
    usual = there[0] if there and asked.attention in ("soft", "hard") else None
    return StartEvent(
        input=input_,
        id=answer,
        model=bundle.id,
        keys=keys,
        layer=usual and usual.default_layer,
        head=usual and usual.default_head,
    )


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
