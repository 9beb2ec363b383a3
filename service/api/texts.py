"""Texts as other services' clients send them to texts as they want them back: in whatever language, words or none.

Knows nothing of dialects. All texts of a request that are in one language are one order, so that they are decoded
together. What has no words, is in the target's language already, or in another script than its language, comes back as
it is and costs nothing: clients send whole lists, and one such text should not lose them all the others.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

from bundle.text import has_words
from service.api.bodies import from_fields
from service.api.desk import Desk
from service.api.languages import defaults, leads, meant, name, spoken
from service.api.request_id import request_id
from service.api.routes import Charge
from service.api.watch import note
from service.errors import Meaningless, UnknownPair
from service.tasks.answer import Result
from service.tasks.contract import Asked, Task, loaded
from service.tasks.detection import Guess, detect_all, written_in

SURE = 40  # characters: a shorter text is taken to be in the language of all of them together
TAGS = re.compile(r"<[^<>]*>|&[#\w]+;")  # whose letters are nobody's words
MARKUP = "format"  # the field of our own request that says that a text has tags


@dataclass(frozen=True)
class Wish:
    """What a client wants; languages by whatever codes."""

    texts: Sequence[str]
    target: str
    source: str | None = None  # none: it is to be told by the texts
    each: bool = False  # whether each text may be in a language of its own
    html: bool = False
    n_best: int = 1
    how: Mapping[str, Any] = field(default_factory=dict)  # further fields of our own request


@dataclass(frozen=True)
class Said:
    """What became of one text: as it was, unless there is a result."""

    text: str
    guess: Guess  # its language; certain where the client said so
    result: Result | None = None
    model: str | None = None

    @property
    def alternatives(self) -> list[str]:
        """What else it could be, best first, nothing twice."""
        others = self.result.hypotheses or [] if self.result else []
        return [text for text in dict.fromkeys(one.text for one in others) if text != self.text]


@dataclass(frozen=True)
class Texts:
    """Asks the desk; `charge` counts what it costs."""

    desk: Desk
    task: Task[Any, Any]
    charge: Charge

    def leads(self, model: str | None = None) -> dict[str, list[str]]:
        """Which languages lead to which; with a model named, by that one alone.

        Raises:
            UnknownModel, WrongTask: see `contract.loaded`.
        """
        bundles = self.desk.link.bundles
        if model is not None:
            return leads(loaded(bundles, self.task.name, model), far=False)
        return leads(defaults(bundles))

    async def say(self, wish: Wish, scope: Scope) -> list[Said]:
        """What became of each text, in order.

        Raises:
            UnknownPair: nothing leads from one of the languages to the target.
            HeedError: see `Desk`; one failure is that of all.
        """
        there = self.leads(wish.how.get("model"))
        target = supported(wish.target, spoken(there))
        guesses = await self._guesses(wish, target, there)
        said = [Said(text, guess) for text, guess in zip(wish.texts, guesses, strict=True)]
        groups: dict[str, list[int]] = {}
        for place, one in enumerate(said):
            words = TAGS.sub(" ", one.text) if wish.html else one.text
            if one.guess.language != target and has_words(words) and written_in(words, one.guess.language):
                groups.setdefault(one.guess.language, []).append(place)
        named = {guesses[0].language} - {target} if wish.source is not None and guesses else set()
        for language in named.union(groups):
            _lead(language, target, there)
        answers = await _together([self._order(wish, said, places, target, scope) for places in groups.values()])
        for places, results in zip(groups.values(), answers, strict=True):
            for place, one in zip(places, results, strict=True):
                said[place] = one
        return said

    async def detected(self, texts: Sequence[str]) -> list[Guess]:
        """The languages that texts may be in, all in the same, of those that are spoken here, best first."""
        among = spoken(self.leads())
        return await self.desk.off_loop(lambda: detect_all(texts, among))

    async def _guesses(self, wish: Wish, target: str, there: Mapping[str, Sequence[str]]) -> list[Guess]:
        """The language of each text: what the client says, or the best that leads to the target, or is it already."""
        if wish.source is not None:
            return [Guess(supported(wish.source, spoken(there)), 1.0)] * len(wish.texts)
        able = {target, *(source for source, targets in there.items() if target in targets)}
        fallback = Guess(next((source for source in there if source in able), target), 0.0)

        async def guess(*texts: str) -> Guess:
            return next((one for one in await self.detected(texts) if one.language in able), fallback)

        whole = await guess(*wish.texts)
        return [await guess(text) if wish.each and len(text) >= SURE else whole for text in wish.texts]

    async def _order(
        self, wish: Wish, said: Sequence[Said], places: Sequence[int], target: str, scope: Scope
    ) -> list[Said]:
        """The texts at these places, which are all in one language, translated in one order."""
        texts = [said[place].text for place in places]
        fields = {**wish.how, "text": texts, "source": said[places[0]].guess.language, "target": target}
        size = sum(map(len, texts))
        async with self.desk.understood(self.task, self._parse(wish, fields), request_id(scope), size=size) as order:
            note(scope, order=order)
            await self.charge(scope, order.rows())
            results = await self.desk.results(order)
        done = zip(places, results, strict=True)
        return [Said(result.text, said[place].guess, result, order.bundle.id) for place, result in done]

    def _parse(self, wish: Wish, fields: dict[str, Any]) -> Callable[[], Asked]:
        """What makes our own request of it; a beam is at least as wide as the model's own.

        Raises:
            Meaningless: tags are not understood here.
        """
        if wish.html:
            fields |= markup(self.task)

        def parse() -> Asked:
            asked: Asked = from_fields(self.task, fields)()
            if wish.n_best == 1 or wish.html:
                return asked
            usual = self.task.choose(asked, self.desk.link.bundles).manifest.search.beam_size
            return asked.model_copy(update={"n_best": wish.n_best, "beam_size": max(wish.n_best, usual)})

        return parse


def markup(task: Task[Any, Any]) -> dict[str, str]:
    """The field of our own request that says that texts have tags.

    Raises:
        Meaningless: it has none.
    """
    if MARKUP not in task.request.model_fields:
        raise Meaningless("html format is not supported")
    return {MARKUP: "html"}


def supported(code: str, there: Sequence[str]) -> str:
    """Which language is meant.

    Raises:
        UnknownPair: none that is spoken here; what cannot be a code is not quoted.
    """
    found = meant(code, there)
    if found is None:
        plain = code.replace("-", "").replace("_", "")
        quoted = code if plain.isascii() and plain.isalnum() and len(code) <= 16 else "This language"
        raise UnknownPair(f"{quoted} is not supported")
    return found


def _lead(source: str, target: str, there: Mapping[str, Sequence[str]]) -> None:
    """Raises: UnknownPair: nothing leads from the one to the other."""
    if target not in there.get(source, ()):
        raise UnknownPair(
            f"{name(target)} ({target}) is not available as a target language from {name(source)} ({source})"
        )


async def _together(orders: Sequence[Any]) -> list[list[Said]]:
    """All at once; the first failure ends the others."""
    if len(orders) == 1:
        return [await orders[0]]
    try:
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(order) for order in orders]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in waiting]
