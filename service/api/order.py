"""A request that was understood: its jobs, and how what the engine says of them becomes its answer.

Knows nothing of HTTP, of threads, or of any one task.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bundle.manifest import Bundle
from service.maps.envelope import TextKeys
from service.maps.offsets import moved_keys
from service.maps.view import View
from service.messages import Done, Event, Job
from service.tasks.answer import Answer, Result
from service.tasks.contract import Asked, Encoded, Task
from service.tasks.documents import Part, by_text, joined, views
from service.tasks.live import DoneEvent, Live, StartEvent, start
from service.telemetry.journal import Journal


@dataclass(frozen=True)
class Order:
    """`began` and `deadline` are time.monotonic() seconds; `prepared` is how long it took to understand it."""

    task: Task[Any, Any]
    asked: Asked
    bundle: Bundle
    encoded: Sequence[Encoded[Any]]
    id: str
    began: float
    deadline: float
    prepared: float = 0.0
    light: bool = False  # so small that it may be written on the event loop
    journal: Journal = field(default_factory=Journal)

    @property
    def models(self) -> list[str]:
        """The ids of all that its jobs ask, which are not unloaded before its end."""
        others = (other.id for one in self.encoded for other in one.others)
        return list(dict.fromkeys([self.bundle.id, *others]))

    def job(self, input_: int, done: Sequence[Done]) -> Job | None:
        """What the engine is to do next for an input of which so much was done; none if that was all.

        All jobs of an order have one owner, whose id is ours: those that callers choose may repeat.
        """
        one = self.encoded[input_]
        job = one.then(done) if done else one.job
        if job is None:
            return None
        return replace(job, owner=self.encoded[0].job.id, options=replace(job.options, deadline=self.deadline))

    def heard(self, input_: int, done: Sequence[Done], event: Event) -> Event:
        """What an engine says of an input of which so much was done, as the input's task understands it."""
        return self.encoded[input_].hear(done, event)

    def end_of(self, input_: int, done: Sequence[Done], said: Done) -> Done:
        """The same of a job's end."""
        end = self.heard(input_, done, said)
        return end if isinstance(end, Done) else said

    def seats(self, rows: int) -> int:
        """How many inputs may be at work at a time, in so many rows."""
        return max(1, rows // max(one.job.options.beam_size for one in self.encoded))

    def goes_on(self, input_: int) -> bool:
        """Whether an input is a sentence of a text that has begun before."""
        part = self.encoded[input_].part
        return part is not None and not part.alone and input_ > 0

    @property
    def parts(self) -> list[Part | None]:
        """Which sentence of which text each input is."""
        return [one.part for one in self.encoded]

    def rows(self) -> int:
        """Beam rows that it takes in the engine."""
        return sum(one.job.options.beam_size for one in self.encoded)

    def maps(self) -> float:
        """How many maps its answer may have: one a hypothesis; of all layers and heads there are many."""
        searched = [one.answers or one.job.options for one in self.encoded]
        return math.inf if any(one.heads for one in searched) else sum(one.n_best for one in searched)

    def results(self, done: Sequence[Sequence[Done]]) -> list[Result]:
        """The answer to each text."""
        pairs = zip(self.encoded, done, strict=True)
        each = [self.task.decode(self.asked, self.bundle, one.kept, ends) for one, ends in pairs]
        return [joined(parts, told, self.asked.offsets) for parts, told in by_text(self.parts, each)]

    def written(self, done: Sequence[Sequence[Done]], timings: Mapping[str, float]) -> bytes:
        """The whole answer as JSON."""
        results = self.results(done)
        whole = Answer(id=self.id, model=self.bundle.id, timings=rounded(timings), results=results)
        return whole.model_dump_json(exclude_none=True, context={"encoding": self.asked.encoding}).encode()

    def views(self, done: Sequence[Sequence[Done]]) -> list[View]:
        """How the answer is drawn."""
        pairs = zip(self.encoded, done, strict=True)
        each = [self.task.view(self.asked, self.bundle, one.kept, ends) for one, ends in pairs]
        return [view for parts, drawn in by_text(self.parts, each) for view in views(parts, drawn)]

    def lives(self) -> list[Live]:
        """What listens to the answer to each input, sentence by sentence where a text has several."""
        return [self._live(place) for place in range(len(self.encoded))]

    def _live(self, place: int) -> Live:
        one = self.encoded[place]
        greedy = (one.answers or one.job.options).beam_size == 1
        if one.part is None:
            return Live(place, self.asked, self.bundle, greedy=greedy)
        number = None if one.part.alone else one.part.number
        return Live(one.part.input, self.asked, self.bundle, greedy=greedy, sentence=number, before=one.part.before)

    def start(self, place: int, live: Live, source: int) -> StartEvent:
        """What is told of an input, or a sentence, before its answer is known; source: where it begins in its text."""
        keys = self.task.keys(self.asked, self.encoded[place].kept)
        return start(live, moved_keys(keys, source) if isinstance(keys, TextKeys) else keys, self.id)

    def end(self, places: Sequence[int], done: Sequence[Sequence[Done]]) -> DoneEvent:
        """What is told of a whole text, or a picture, in the end: of the inputs that it is."""
        pairs = zip(places, done, strict=True)
        each = [self.task.decode(self.asked, self.bundle, self.encoded[place].kept, ends) for place, ends in pairs]
        parts = [part for place in places if (part := self.encoded[place].part) is not None]
        result = joined(parts, each, self.asked.offsets)
        timings = rounded({"prepare": self.prepared, **longest(done)})
        input_ = parts[0].input if parts else places[0]
        return DoneEvent(input=input_, id=self.id, model=self.bundle.id, timings=timings, **dict(result))


def spent(done: Sequence[Done]) -> dict[str, float]:
    """Seconds by phase of jobs that followed one another."""
    phases = {phase: None for one in done for phase in one.timings}
    return {phase: sum(one.timings.get(phase, 0.0) for one in done) for phase in phases}


def longest(done: Sequence[Sequence[Done]]) -> dict[str, float]:
    """The longest of each phase over the inputs."""
    each = [spent(ends) for ends in done]
    phases = {phase: None for one in each for phase in one}
    return {phase: max(one.get(phase, 0.0) for one in each) for phase in phases}


def rounded(timings: Mapping[str, float]) -> dict[str, float]:
    """To microseconds."""
    return {phase: round(seconds, 6) for phase, seconds in timings.items()}
