"""What every task shares: how a request may ask, what an answer looks like, and the `Task` that each file here defines.

Knows nothing of HTTP, engines or any one task.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bundle.manifest import AT, Bundle
from service.errors import Meaningless, TextTooLong, UnknownModel, Where, WrongTask
from service.maps.alignment import Alignment
from service.maps.envelope import AttentionMap, GridKeys, Head, OffsetUnit, TextKeys, Unit
from service.maps.view import View
from service.messages import Done, Hypothesis, Job, Options

Attention = Literal["none", "hard", "soft", "full"]
Label = Callable[[np.ndarray, int, Head], AttentionMap]  # (T, S) rows of a layer and head to a map in code points
Count = Callable[[AttentionMap], AttentionMap]  # that map, its offsets in another unit
Maps = AttentionMap | list[AttentionMap] | None
Keys = TextKeys | GridKeys
Priority = Literal["high", "normal", "low"]
PRIORITIES: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}


@dataclass(frozen=True)
class Bounds:
    """What one request may ask for at most; the entry point fills it from the settings."""

    text_characters: int = 5000
    texts: int = 64
    pixels: int = 40_000_000
    whole_pixels: int = 16_000_000  # where a picture can only be decoded whole
    formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF")  # of pictures, by Pillow's names
    beam_size: int = 16
    n_best: int = 16
    length: int = 256


class Asked(BaseModel):
    """The fields that every task's request has."""

    model_config = ConfigDict(extra="forbid", val_json_bytes="base64")

    model: str | None = Field(
        None,
        max_length=200,
        description="A loaded model, `name` or `name@version`; the task's default if left out.",
    )
    beam_size: int | None = Field(
        None, ge=1, description="Rows of the beam, 1 is greedy; by default what the model card was measured with."
    )
    n_best: int = Field(1, ge=1, description="How many hypotheses to return; not more than beam_size.")
    length_penalty: float | None = Field(
        None, ge=0, le=10, description="A hypothesis scores sum(log p) / length ** length_penalty."
    )
    max_length: int | None = Field(
        None, ge=1, description="Most pieces of the answer; the model's own limit holds below it."
    )
    prefix: str = Field("", description="Text that the answer must start with.")
    attention: Attention = Field(
        "soft",
        description="none is free; hard keeps each row's strongest key; soft is one map; full is every layer and head.",
    )
    unit: Unit = Field("word", description="Whether the map's rows and columns are words or the model's own pieces.")
    offsets: OffsetUnit = Field(
        "codepoint", description="The unit of start and end: JavaScript counts utf16, bytes are utf8."
    )
    priority: Priority = Field(
        "normal", description="Who is seated first; who waits long enough is seated in any case."
    )
    stream: bool = Field(
        False, description="Answer as text/event-stream while the search goes on, as `Accept: text/event-stream` does."
    )


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Candidate(Model):
    """One hypothesis of an answer."""

    text: str
    score: float = Field(description="sum(log p) / length ** length_penalty")
    finish_reason: Literal["stop", "length"] = Field(
        description="length: the limit came before the end of the sentence."
    )
    attention: Maps = None
    alignment: Alignment | None = None


class Result(Candidate):
    """The answer for one input: its best hypothesis, and all of them if more than one was asked for."""

    language: str | None = Field(None, description="Language of the text.")
    hypotheses: list[Candidate] | None = None


class Answer(Model):
    """One shape for every task: a result for each input, in order."""

    id: str
    model: str = Field(description="Which version of which model answered: `name@version`.")
    timings: dict[str, float] = Field(description="Seconds by phase; for several inputs the longest of each phase.")
    results: list[Result]


T = TypeVar("T")  # what encode keeps of an input for decode: its pieces, its picture
Q = TypeVar("Q", bound=Asked)


@dataclass(frozen=True)
class Encoded(Generic[T]):
    """A job, and what decode needs to know of the input that it came from."""

    job: Job
    kept: T


@dataclass(frozen=True)
class Task(Generic[Q, T]):
    """A file of this folder defines one of these, named TASK."""

    name: str  # the manifest's task, and the last part of the route
    summary: str
    request: type[Q]
    choose: Callable[[Q, Mapping[str, Bundle]], Bundle]
    encode: Callable[[Q, Bundle, Bounds], Sequence[Encoded[T]]]
    decode: Callable[[Q, Bundle, T, Done], Result]
    view: Callable[[Q, Bundle, T, Done], View]  # how the same answer is drawn; not asked for where JSON is
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


def options(asked: Asked, bundle: Bundle, bounds: Bounds, *, rows: bool) -> Options:
    """How to search, from what was asked, what the bundle was measured with, and what is allowed; rows: for a map.

    Raises:
        Meaningless: beyond a bound.
        TextTooLong: the prefix leaves no room for an answer.
    """
    usual, limits = bundle.manifest.search, bundle.manifest.limits
    beam_size = at_most(bounds.beam_size, "beam_size", usual.beam_size if asked.beam_size is None else asked.beam_size)
    n_best = at_most(min(bounds.n_best, beam_size), "n_best", asked.n_best)
    length = min(bounds.length, limits.target, asked.max_length or limits.target)
    at_most(bounds.text_characters, "prefix", len(asked.prefix), TextTooLong)
    prefix = tuple(bundle.text.ids(asked.prefix))
    at_most(length - 1, "prefix", len(prefix), TextTooLong)
    penalty = usual.length_penalty if asked.length_penalty is None else asked.length_penalty
    return Options(
        beam_size,
        n_best,
        penalty,
        length,
        prefix,
        attention=rows,
        heads=asked.attention == "full",
        stream=asked.stream,
        priority=PRIORITIES[asked.priority],
    )


def at_most(limit: int, field: str, actual: int, error: type[Meaningless] = Meaningless) -> int:
    """The value, or an error that names the field, the limit and the value."""
    if actual > limit:
        where = (Where(f"/{field}", f"is {actual}, at most {limit} here"),)
        raise error(f"{field} is {actual}; at most {limit} here.", limit=limit, actual=actual, errors=where)
    return actual


def job(bundle: Bundle, inputs: Mapping[str, Any], how: Options) -> Job:
    """A job with an id of its own: those that callers choose may repeat."""
    return Job(uuid.uuid4().hex, bundle.id, inputs, how)


def shown(rows: np.ndarray, bundle: Bundle) -> tuple[np.ndarray, int, Head]:
    """Rows (T, S) of the layer and head that the manifest shows by default, of rows (T, S) or (T, layers, heads, S)."""
    usual = bundle.manifest.attention[0]
    layer, head = usual.default_layer, usual.default_head
    if rows.ndim == 2:
        return rows, layer, head
    return rows[:, layer].mean(axis=1) if head == "mean" else rows[:, layer, head], layer, head


def best_map(rows: np.ndarray, bundle: Bundle, label: Label) -> AttentionMap:
    """The map of the layer and head that are shown by default."""
    return label(*shown(rows, bundle))


def every_map(rows: np.ndarray, label: Label) -> list[AttentionMap]:
    """A map of each layer and head, of rows (T, S) or (T, layers, heads, S)."""
    if rows.ndim == 2:
        return [label(rows, 0, 0)]
    return [label(rows[:, layer, head], layer, head) for layer, head in np.ndindex(*rows.shape[1:3])]


def hardened(map_: AttentionMap) -> AttentionMap:
    """A map whose rows are one at their strongest key and zero elsewhere."""
    weights = np.zeros_like(map_.weights)
    if weights.size:
        np.put_along_axis(weights, map_.weights.argmax(axis=1)[:, None], 1, axis=1)
    return map_.model_copy(update={"weights": weights})


def drawn(asked: Asked, bundle: Bundle, hypothesis: Hypothesis, label: Label) -> AttentionMap | None:
    """The one map that a picture of this answer shows, if any was asked for."""
    if hypothesis.rows is None or asked.attention == "none":
        return None
    soft = best_map(hypothesis.rows, bundle, label)
    return hardened(soft) if asked.attention == "hard" else soft


def sent(asked: Asked, bundle: Bundle, hypothesis: Hypothesis, label: Label, count: Count) -> Maps:
    """What the answer carries of the attention, its offsets counted as asked."""
    if asked.attention == "full" and hypothesis.rows is not None:
        return [count(map_) for map_ in every_map(hypothesis.rows, label)]
    one = drawn(asked, bundle, hypothesis, label)
    return one if one is None else count(one)


def finish(hypothesis: Hypothesis) -> Literal["stop", "length"]:
    """Why the answer ended there."""
    return "stop" if hypothesis.finish_reason == "stop" else "length"
