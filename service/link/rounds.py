"""A change of models, made at every worker in turn: while one loads, the others serve at full speed.

Knows nothing of jobs, or of why something is changed. A worker that cannot load stops the round, and those before it
put the bundle away again; one that hangs or dies is replaced by its supervisor, and comes up with what is served.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from bundle.manifest import Bundle
from service.errors import LoadFailed, NotReady
from service.link.line import Line
from service.link.words import Changed, Load, Unload

log = logging.getLogger("heed.link")


class Rounds:
    """See `service.link.repository.Floor`."""

    def __init__(self, workers: Callable[[], Sequence[Line]], *, places: int, seconds: float) -> None:
        """workers: those who take jobs now; places: how many there should be; seconds: for one change at one worker."""
        self.workers, self.places, self.seconds = workers, places, seconds
        self.asked: dict[int, asyncio.Future[Changed]] = {}
        self.costs: dict[str, int] = {}  # the most that any worker measured
        self.last = 0

    def cost(self, model: str) -> int:
        """As if every place were staffed."""
        return self.places * self.costs.get(model, 0)

    async def put(self, bundle: Bundle) -> None:
        """Who becomes ready meanwhile has its turn, too.

        Raises:
            LoadFailed: one could not.
            NotReady: there is nobody to load it.
        """
        if not self.workers():
            raise NotReady("No engine is there to load a model.", retry_after=5)
        try:
            while todo := [line for line in self.workers() if bundle.id not in line.models]:
                await self.load(todo[0], bundle)
        except BaseException:
            await self.take(bundle.id)
            raise

    async def take(self, model: str) -> None:
        """A worker that cannot is ended: the next one comes up without the model."""
        while todo := [line for line in self.workers() if model in line.models]:
            await self.unload(todo[0], model)
        self.costs.pop(model, None)

    async def load(self, line: Line, bundle: Bundle) -> None:
        """At one worker.

        Raises:
            LoadFailed: it could not, died, or hung and was ended.
        """
        await self._ask(line, Load(self._number(), bundle.id, str(bundle.path)))

    async def unload(self, line: Line, model: str) -> None:
        """At one worker, or by its end."""
        try:
            await self._ask(line, Unload(self._number(), model))
        except LoadFailed as failure:
            log.error("%s cannot unload %s (%s): killed", line.name, model, failure.detail)
            line.kill()
        line.models.pop(model, None)

    async def level(self, line: Line, kept: Mapping[str, Bundle]) -> None:
        """Make a worker that came late serve what the others do, or end it."""
        for model in [model for model in line.models if model not in kept]:
            await self.unload(line, model)
        try:
            for model in [model for model in kept if model not in line.models]:
                await self.load(line, kept[model])
        except LoadFailed as failure:
            log.error("%s does not serve what the others do (%s): killed", line.name, failure.detail)
            line.kill()

    def heard(self, word: Changed) -> None:
        """A worker's answer."""
        self.measured(word.models)
        answer = self.asked.pop(word.number, None)
        if answer is not None and not answer.done():
            answer.set_result(word)

    def measured(self, models: dict[str, int]) -> None:
        """What models take at a worker."""
        self.costs |= {model: max(cost, self.costs.get(model, 0)) for model, cost in models.items()}

    def _number(self) -> int:
        self.last += 1
        return self.last

    async def _ask(self, line: Line, word: Load | Unload) -> None:
        """Tell a worker, and wait for its answer.

        Raises:
            LoadFailed: it said why not, died, or hung and was ended.
        """
        answer = self.asked[word.number] = asyncio.get_running_loop().create_future()
        line.tell(word)
        try:
            await asyncio.wait({answer, line.gone}, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.asked.pop(word.number, None)
        if answer.done():
            if answer.result().why is not None:
                raise LoadFailed(f"An engine could not: {answer.result().why}.")
        elif line.gone.done():
            raise LoadFailed("An engine died at it.")
        else:
            log.error("%s hangs at a change of models: killed", line.name)
            line.kill()
            raise LoadFailed(f"An engine was not done after {self.seconds:g} s, and was replaced.")
