"""The words the rooms exchange: Job in; Tokens on the way; Done or Failed out; and the Link that carries them.

Knows nothing of HTTP, of onnxruntime, or of how a Link reaches its engine.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from bundle.manifest import Bundle
from service.errors import HeedError
from service.telemetry.figures import Vitals

SELVES = ("encoder_self", "decoder_self")  # extras that are not one a token: self-attention, of every layer and head


@dataclass(frozen=True)
class Options:
    """How a job is searched."""

    beam_size: int = 5
    n_best: int = 1
    length_penalty: float = 1.0
    max_length: int = 100  # target pieces, EOS included
    prefix: tuple[int, ...] = ()  # ids that the answer must start with; ending in EOS it forces the whole answer
    attention: bool = True  # whether rows are wanted: if nobody seated wants them, the graph does not return them
    heads: bool = False  # whether those rows are of every layer and head, not only of what is shown by default
    mask: tuple[int, ...] = ()  # memory positions that no step may look at
    pin: tuple[tuple[int, tuple[int, ...]], ...] = ()  # (step, the positions that it may look at, whatever is masked)
    alternatives: int = 0  # how many of the most probable pieces are told of each step of the best answer
    trials: bool = False  # whether the best answer is tried under other attention; wants `attention` too
    deadline: float | None = None  # time.monotonic() after which nobody waits for the answer
    stream: bool = False  # whether Tokens are wanted while the search goes on
    priority: int = 1  # 0 is seated before 1, and 1 before 2; who waits long enough is seated in any case


@dataclass(frozen=True)
class Job:
    """One input for one model. `inputs` are the encode graph's, without the axis B."""

    id: str
    model: str  # name@version; a name alone is its default version
    inputs: Mapping[str, np.ndarray]
    options: Options = Options()
    owner: str = ""  # jobs of one owner (a request, a client) take turns with those of others


@dataclass(frozen=True)
class Hypothesis:
    """A finished answer. T tokens, EOS included where the search reached it."""

    ids: Sequence[int]
    logprobs: np.ndarray  # (T,)
    score: float  # sum of logprobs / T ** length_penalty
    finish_reason: str  # "stop" or "length"
    rows: np.ndarray | None = None  # (T, S) or (T, layers, heads, S) float32, one a token, EOS's row included
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)  # name to (T, …): "gate", and what `Review` found


@dataclass(frozen=True)
class Done:
    """The end of a job: its n best hypotheses, best first, and seconds by phase (queue, encode, decode)."""

    job: str
    hypotheses: tuple[Hypothesis, ...]
    timings: Mapping[str, float]


@dataclass(frozen=True)
class Failed:
    """The other end of a job."""

    job: str
    error: HeedError


@dataclass(frozen=True)
class Tokens:
    """What the best unfinished hypothesis of a streaming job says after a step, as a change to what it said before.

    Of the tokens told so far the first `kept` still stand; `ids` follow them. In greedy search every token told so
    far is kept, and one is new; in beam search another hypothesis may have taken the lead.
    """

    job: str
    kept: int
    ids: Sequence[int]
    logprobs: np.ndarray  # (len(ids),)
    rows: np.ndarray | None = None  # as in Hypothesis, for the new ids alone
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)


Event = Tokens | Done | Failed


@dataclass(frozen=True)
class Shown:
    """A version of a model, as whoever changes the models sees it."""

    id: str  # name@version
    state: Literal["loaded", "leaving", "available"]  # leaving: finishing what it was asked; available: in the zoo
    default: bool = False  # whether its name alone means it
    bytes: int | None = None  # resident memory that it was measured to take, in all engines together


class Repository(Protocol):
    """The models of a link, changed while it serves. A model is a `name@version`, or a name that means a version of it.

    One change happens at a time. It is done at every engine, or at none.
    """

    async def shown(self) -> Sequence[Shown]:
        """Those loaded, in order of preference, and those that could be."""
        ...

    async def load(self, model: str, *, default: bool = False, replace: bool = False) -> str:
        """Load and warm one (a name alone: its newest version), then let it be asked for; its id.

        default: its name alone means it from then on; replace: also unload the version that was meant before.

        Raises:
            UnknownModel: it is not there.
            OverBudget: it takes too much memory, beside those that are loaded.
            Conflict: another bundle of the same name and version is loaded.
            LoadFailed: an engine could not; the others have put it away again.
        """
        ...

    async def unload(self, model: str) -> str:
        """Let nobody ask for one any more (a name alone: its default version), finish what was asked, free it; its id.

        Raises:
            UnknownModel: it is not loaded.
            Conflict: it is the last.
        """
        ...

    async def prefer(self, model: str, *, first: bool = False) -> str:
        """Make a loaded version what its name alone means; first: also what its task does if no model is named; its id.

        Raises:
            UnknownModel: it is not loaded.
        """
        ...


class Link(Protocol):
    """How the front reaches an engine, wherever that runs."""

    @property
    def bundles(self) -> Mapping[str, Bundle]:
        """The bundles that can be asked for, complete once started: by name the default version of each, by
        `name@version` the others. What was read stays as it was; see `bundle.shelf.Shelf`."""
        ...

    @property
    def repository(self) -> Repository | None:
        """How those are changed; None where they stay what they are."""
        ...

    def hold(self, model: str) -> AbstractContextManager[object]:
        """Keep a model, by its id, from being unloaded until the context is left: for whoever is about to submit jobs.

        Raises:
            UnknownModel: it is not there, or leaving: choose again.
        """
        ...

    async def start(self) -> None:
        """Return when the engine is warm and every bundle can be asked for."""
        ...

    def ready(self) -> bool:
        """Whether a job submitted now would be worked on."""
        ...

    def vitals(self) -> Vitals:
        """How the engines are, and what they have counted."""
        ...

    def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        """Tokens if the job streams, then one Done or Failed. Closing the iterator early cancels the job.

        Raises, before it first waits: QueueFull, NotReady, Draining, UnknownModel.
        """
        ...

    async def drain(self, seconds: float) -> None:
        """Accept nothing more, finish what was accepted within this time, fail the rest, stop."""
        ...


async def answer(link: Link, job: Job) -> Done:
    """Submit a job and wait for its end.

    Raises:
        HeedError: what the engine failed with.
    """
    async for event in link.submit(job):
        if isinstance(event, Done):
            return event
        if isinstance(event, Failed):
            raise event.error
    raise RuntimeError(f"link ended job {job.id} without Done or Failed")
