"""What every task shares: how a request may ask, and the `Task` that each file here defines.

Knows nothing of HTTP, engines or any one task.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bundle.manifest import AT, Bundle
from bundle.text import SILENT, UNK
from service.errors import Meaningless, TextTooLong, UnknownModel, Where, WrongTask
from service.maps.envelope import Encoding, GridKeys, OffsetUnit, TextKeys, Unit
from service.maps.view import View
from service.messages import Done, Event, Job, Options
from service.tasks.answer import Result
from service.tasks.documents import Part

Attention = Literal["none", "hard", "soft", "full"]
Trusted = Literal["none", "cheap", "measured"]
Keys = TextKeys | GridKeys
Priority = Literal["high", "normal", "low"]
PRIORITIES: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}


@dataclass(frozen=True)
class Bounds:
    """What one request may ask for at most; the entry point fills it from the settings."""

    text_characters: int = 200_000
    texts: int = 64
    sentences: int = 4096  # of all texts together
    pixels: int = 40_000_000
    whole_pixels: int = 16_000_000  # where a picture can only be decoded whole
    formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF")  # of pictures, by Pillow's names
    beam_size: int = 16
    n_best: int = 16
    length: int = 256
    alternatives: int = 10
    glossary: int = 1000


class Constraints(BaseModel):
    """What attention may look at. Keys and queries are counted as the map counts them: its items' `i`, in `unit`.

    A grid's cells count row by row from the upper left one. What is masked is hidden from attention, not from the
    encoder: its neighbours have read it.
    """

    model_config = ConfigDict(extra="forbid")

    pin: list[tuple[int, int]] = Field(
        [],
        max_length=4096,
        description="[t, s]: item t of the answer looks at key s alone. t counts the items of the answer without "
        "constraints; it is the steps of that item that are pinned. Several pins of one t allow several keys.",
    )
    mask: list[int] = Field([], max_length=4096, description="Keys that no item looks at, unless it is pinned to them.")


class Asked(BaseModel):
    """The fields that every task's request has."""

    model_config = ConfigDict(extra="forbid", val_json_bytes="base64")

    model: str | None = Field(
        None,
        max_length=200,
        description="A loaded model, `name` or `name@version`; the task's default if left out.",
    )
    length_penalty: float | None = Field(
        None,
        ge=0,
        le=10,
        description="A hypothesis scores sum(log p) / length ** length_penalty: the larger, the longer the answers.",
    )
    alternatives: int = Field(
        0, ge=0, description="For each piece of the answer, so many of the most probable ones at its step."
    )
    trust: Trusted = Field(
        "cheap",
        description="How far to believe the map: cheap reads it off the map; measured says the answer again under "
        "other attention, and tells which words the map decided.",
    )
    attention: Attention = Field(
        "soft",
        description="none is free; hard keeps each row's strongest key; soft is one map; full is every layer and head.",
    )
    unit: Unit = Field("word", description="Whether the map's rows and columns are words or the model's own pieces.")
    offsets: OffsetUnit = Field(
        "codepoint", description="The unit of start and end: JavaScript counts utf16, bytes are utf8."
    )
    encoding: Encoding = Field(
        "float", description="How weights are written: with four decimals, or as bytes, round(255·w), in half the room."
    )
    priority: Priority = Field(
        "normal", description="Who is seated first; who waits long enough is seated in any case."
    )
    stream: bool = Field(
        False, description="Answer as text/event-stream while the search goes on, as `Accept: text/event-stream` does."
    )


class Searched(Asked):
    """The fields of a request whose answer is searched for."""

    beam_size: int | None = Field(
        None, ge=1, description="Rows of the beam, 1 is greedy; by default what the model card was measured with."
    )
    n_best: int = Field(1, ge=1, description="How many hypotheses to return; not more than beam_size.")
    max_length: int | None = Field(
        None, ge=1, description="Most pieces of the answer; the model's own limit holds below it."
    )
    prefix: str | list[int] = Field(
        "",
        examples=["Ein kleiner", [1071, 42]],
        description="What the answer must start with: text, best up to the end of a word, or ids of pieces as "
        "`alternatives` and streams tell them.",
    )
    constraints: Constraints | None = Field(
        None,
        examples=[{"pin": [[0, 0]], "mask": [1]}],
        description="What if attention looked elsewhere? The answer without them comes too, and the difference.",
    )
    compare: bool = Field(
        False, description="Beside a prefix: the answer without it comes too, and the difference, as for constraints."
    )

    @field_validator("constraints", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        """In a form or a query it is a JSON text."""
        return Constraints.model_validate_json(value) if isinstance(value, str) else value

    @property
    def compares(self) -> bool:
        """Whether the answer is wanted twice: as asked, and without what constrains it."""
        return self.constraints is not None or (self.compare and bool(self.prefix))


T = TypeVar("T")  # what encode keeps of an input for decode: its pieces, its picture
Q = TypeVar("Q", bound=Asked)


@dataclass(frozen=True)
class Encoded(Generic[T]):
    """A job, what decode needs to know of the input that it came from, and what is to be done after the job."""

    job: Job
    kept: T
    then: Callable[[Sequence[Done]], Job | None] = lambda _: None  # what was done so far, to what is to be done next
    others: tuple[Bundle, ...] = ()  # whom those later jobs ask
    hear: Callable[[Sequence[Done], Event], Event] = lambda _, event: event  # what was done so far, what is said now
    answers: Options | None = None  # of the job that answers, if that is not the first
    part: Part | None = None  # which sentence of which text it is, if it is one


@dataclass(frozen=True)
class Task(Generic[Q, T]):
    """A file of this folder defines one of these, named TASK."""

    name: str  # the manifest's task, and the last part of the route
    summary: str
    request: type[Q]
    choose: Callable[[Q, Mapping[str, Bundle]], Bundle]
    encode: Callable[[Q, Bundle, Bounds, Mapping[str, Bundle]], Sequence[Encoded[T]]]  # of all bundles one is chosen
    decode: Callable[[Q, Bundle, T, Sequence[Done]], Result]  # what came of the job, and of those after it
    view: Callable[[Q, Bundle, T, Sequence[Done]], View]  # how the same answer is drawn; not asked for where JSON is
    keys: Callable[[Q, T], Keys]  # what a row of an answer that is not ready yet looks at: pieces or cells
    request_example: Mapping[str, Any]
    answer_example: Mapping[str, Any]
    upload: str | None = None  # the field that a raw body or a multipart file fills, if any


def loaded(bundles: Mapping[str, Bundle], task: str, model: str | None) -> list[Bundle]:
    """The loaded bundles that do a task; with a model named, that one.

    Raises:
        UnknownModel: no such model, or none of this task.
        WrongTask: the model does another task.
    """
    able = {key: bundle for key, bundle in bundles.items() if bundle.manifest.task == task}
    there = ", ".join(able) or "none"
    if model is None and able:
        return [bundle for key, bundle in able.items() if AT not in key]  # a side version is asked for by name alone
    if model is None or model not in bundles:
        raise UnknownModel(f"There is no such {task} model here; loaded: {there}.")
    if bundles[model].manifest.task != task:
        does = bundles[model].manifest.task
        raise WrongTask(
            f"This model's task is {does}; loaded for {task}: {there}.", errors=(Where("/model", f"does {does}"),)
        )
    return [bundles[model]]


def options(asked: Searched, bundle: Bundle, bounds: Bounds, *, rows: bool) -> Options:
    """How to search, from what was asked, what the bundle was measured with, and what is allowed; rows: for a map.

    Raises:
        Meaningless: beyond a bound.
        TextTooLong: the prefix leaves no room for an answer.
    """
    usual, limits = bundle.manifest.search, bundle.manifest.limits
    beam_size = at_most(bounds.beam_size, "beam_size", usual.beam_size if asked.beam_size is None else asked.beam_size)
    n_best = at_most(min(bounds.n_best, beam_size), "n_best", asked.n_best)
    length = min(bounds.length, limits.target, asked.max_length or limits.target)
    prefix = _start(asked.prefix, bundle, bounds)
    at_most(length - 1, "prefix", len(prefix), TextTooLong)
    penalty = usual.length_penalty if asked.length_penalty is None else asked.length_penalty
    return Options(
        beam_size,
        n_best,
        penalty,
        length,
        prefix,
        attention=(rows or asked.trust == "measured") and bool(bundle.manifest.attention),
        alternatives=at_most(bounds.alternatives, "alternatives", asked.alternatives),
        trials=asked.trust == "measured" and bool(bundle.manifest.attention),
        heads=asked.attention == "full",
        stream=asked.stream,
        priority=PRIORITIES[asked.priority],
    )


def _start(prefix: str | list[int], bundle: Bundle, bounds: Bounds) -> tuple[int, ...]:
    """The pieces of a forced start.

    Raises:
        Meaningless: the model never says them.
        TextTooLong: beyond a bound.
    """
    at_most(bounds.text_characters, "prefix", len(prefix), TextTooLong)
    written = (prefix, prefix.lower()) if isinstance(prefix, str) else (prefix,)  # some models have no capitals
    for one in written:
        ids = bundle.text.ids(one) if isinstance(one, str) else one
        if all(piece not in (*SILENT, UNK) and 0 <= piece < len(bundle.text) for piece in ids):
            return tuple(ids)
    raise Meaningless("The prefix has what this model never says.", errors=(Where("/prefix", "cannot be said"),))


def at_most(limit: int, field: str, actual: int, error: type[Meaningless] = Meaningless) -> int:
    """The value, or an error that names the field, the limit and the value."""
    if actual > limit:
        where = (Where(f"/{field}", f"is {actual}, at most {limit} here"),)
        raise error(f"{field} is {actual}; at most {limit} here.", limit=limit, actual=actual, errors=where)
    return actual


def renewed(one: Job, how: Options) -> Job:
    """The same input searched in another way, with an id of its own."""
    return replace(one, id=uuid.uuid4().hex, options=how)


def job(bundle: Bundle, inputs: Mapping[str, Any], how: Options) -> Job:
    """A job with an id of its own: those that callers choose may repeat."""
    return Job(uuid.uuid4().hex, bundle.id, inputs, how)
