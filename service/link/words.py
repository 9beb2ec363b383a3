"""What the front and a worker say to each other, as frames: jobs, their events, and news of the worker itself.

Knows nothing of sockets, or of who acts on a word. Errors travel by their stable code. Deadlines travel as they are:
time.monotonic() is one clock for all processes of a Linux machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from service.errors import HeedError, InternalError, Where, tree
from service.link.frames import Arrays, BadFrame, Frames, Header, pack
from service.messages import Done, Event, Failed, Hypothesis, Job, Options, Tokens
from service.telemetry.figures import LEVELS, SIZE, Figures, Key


class Ask(NamedTuple):
    """Front to worker: work on this. `number` is the front's own name for it: ids of jobs may come twice."""

    number: int
    job: Job


class Cancel(NamedTuple):
    """Front to worker: nobody waits for this any more."""

    number: int


class Say(NamedTuple):
    """Worker to front: news of a job."""

    number: int
    event: Event


class Beat(NamedTuple):
    """Both ways, when there is nothing else to say: still here."""


class Ready(NamedTuple):
    """Worker to front: every bundle is loaded and has answered once. `models`: id to the resident bytes it took."""

    models: dict[str, int]


class Load(NamedTuple):
    """Front to worker: serve this bundle too; answered by Changed. It lies at this path, unless that changed."""

    number: int
    model: str
    path: str


class Unload(NamedTuple):
    """Front to worker: serve this model no longer; answered by Changed."""

    number: int
    model: str


class Changed(NamedTuple):
    """Worker to front: all it serves now, as in Ready; `why`: nothing was changed, because of this."""

    number: int
    models: dict[str, int]
    why: str | None = None


class Report(NamedTuple):
    """Worker to front, about every second: what its loops counted since it started, by model and device."""

    figures: Mapping[Key, Figures]


class Leaving(NamedTuple):
    """Worker to front: draining; send nothing more, what was sent is still answered."""


class Broken(NamedTuple):
    """Worker to front: this file cannot be served; I give up."""

    path: str
    why: str


Word = Ask | Cancel | Say | Beat | Ready | Load | Unload | Changed | Report | Leaving | Broken
ERRORS = {error.code: error for error in tree()}


def packed(word: Word) -> bytes:
    """A word as a frame.

    Raises:
        BadFrame: it is too large.
    """
    if isinstance(word, Say):
        header, arrays = EVENTS[type(word.event)](word.event)
        return pack({"word": type(word.event).__name__, "number": word.number, "job": word.event.job, **header}, arrays)
    if isinstance(word, Ask):
        about = {"id": word.job.id, "model": word.job.model, "owner": word.job.owner}
        options = vars(word.job.options)
        return pack({"word": "Ask", "number": word.number, "job": about, "options": options}, word.job.inputs)
    if isinstance(word, Report):
        told = {
            f"{i}.{name}": array for i, one in enumerate(word.figures.values()) for name, array in one._asdict().items()
        }
        return pack({"word": "Report", "whose": list(word.figures)}, told)
    return pack({"word": type(word).__name__, **word._asdict()}, {})


def heard(frames: Frames, data: bytes) -> Iterator[Word]:
    """The words that these bytes complete.

    Raises:
        BadFrame: they are none.
    """
    for header, arrays in frames.feed(data):
        try:
            word = WORDS[header.pop("word")](header, arrays)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise BadFrame(f"not a word: {type(wrong).__name__}") from wrong
        yield word


def _ask(header: Header, arrays: Arrays) -> Word:
    about, options = header["job"], header["options"]
    how = Options(**{name: _tupled(value) for name, value in options.items()})
    return Ask(header["number"], Job(about["id"], about["model"], arrays, how, about["owner"]))


def _tupled(value: Any) -> Any:
    """Lists as the tuples that they were before they travelled."""
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def _tokens_out(tokens: Tokens) -> tuple[Header, Arrays]:
    return {"kept": tokens.kept}, _told_out("", tokens)


def _tokens(header: Header, arrays: Arrays) -> Word:
    return Say(header["number"], Tokens(header["job"], header["kept"], **_told("", arrays)))


def _done_out(done: Done) -> tuple[Header, Arrays]:
    arrays: dict[str, np.ndarray] = {}
    for rank, one in enumerate(done.hypotheses):
        arrays |= _told_out(f"{rank}.", one)
    ends = [[one.score, one.finish_reason] for one in done.hypotheses]
    return {"timings": dict(done.timings), "ends": ends}, arrays


def _done(header: Header, arrays: Arrays) -> Word:
    hypotheses = tuple(
        Hypothesis(score=score, finish_reason=why, **_told(f"{rank}.", arrays))
        for rank, (score, why) in enumerate(header["ends"])
    )
    return Say(header["number"], Done(header["job"], hypotheses, header["timings"]))


def _failed_out(failed: Failed) -> tuple[Header, Arrays]:
    error = failed.error
    told = {name: getattr(error, name) for name in ("detail", "limit", "actual", "retry_after", "errors")}
    return {"code": error.code, "told": told}, {}


def _failed(header: Header, _: Arrays) -> Word:
    told = header["told"]
    told["errors"] = tuple(Where(*one) for one in told["errors"])
    error: HeedError = ERRORS.get(header["code"], InternalError)(told.pop("detail"), **told)
    return Say(header["number"], Failed(header["job"], error))


def _report(header: Header, arrays: Arrays) -> Word:
    figures = {}
    for i, (model, device) in enumerate(header["whose"]):
        one = Figures(arrays[f"{i}.counts"], arrays[f"{i}.levels"])
        if one.counts.shape != (SIZE,) or one.levels.shape != (len(LEVELS),):
            raise ValueError("figures of another version")
        figures[str(model), str(device)] = one
    return Report(figures)


def _told_out(prefix: str, one: Tokens | Hypothesis) -> Arrays:
    """What tokens and hypotheses share, as arrays by name."""
    arrays = {"ids": np.asarray(one.ids, np.int64), "logprobs": one.logprobs}
    if one.rows is not None:
        arrays["rows"] = one.rows
    arrays |= {f"extra {name}": values for name, values in one.extras.items()}
    return {prefix + name: values for name, values in arrays.items()}


def _told(prefix: str, arrays: Arrays) -> dict[str, Any]:
    """The same, as arguments."""
    extra = f"{prefix}extra "
    return {
        "ids": arrays[f"{prefix}ids"].tolist(),
        "logprobs": arrays[f"{prefix}logprobs"],
        "rows": arrays.get(f"{prefix}rows"),
        "extras": {name.removeprefix(extra): values for name, values in arrays.items() if name.startswith(extra)},
    }


EVENTS: dict[type, Callable[[Any], tuple[Header, Arrays]]] = {
    Tokens: _tokens_out,
    Done: _done_out,
    Failed: _failed_out,
}
WORDS: dict[str, Callable[[Header, Arrays], Word]] = {
    "Ask": _ask,
    "Tokens": _tokens,
    "Done": _done,
    "Failed": _failed,
    "Cancel": lambda header, _: Cancel(**header),
    "Beat": lambda header, _: Beat(**header),
    "Ready": lambda header, _: Ready(**header),
    "Report": _report,
    "Load": lambda header, _: Load(**header),
    "Unload": lambda header, _: Unload(**header),
    "Changed": lambda header, _: Changed(**header),
    "Leaving": lambda header, _: Leaving(**header),
    "Broken": lambda header, _: Broken(**header),
}
