"""The link to engines that listen elsewhere: looked for again and again, spoken to while they live, never started here.

Knows nothing of who starts engines, or of who knows where they are: it is told by whatever it is given to ask. What
becomes of the jobs is `service.link.dispatch`'s. Clocks differ between machines, so a deadline travels as seconds left.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bundle.manifest import Bundle
from service.errors import NotReady
from service.link.dispatch import Dispatch
from service.link.line import Line
from service.link.words import Ask, Ready, Report, Say, Word
from service.telemetry.figures import Vitals

log = logging.getLogger("heed.link")
SEARCH_SECONDS = 0.5  # between two questions where the engines are
LOOK_SECONDS = 0.05  # between two looks whether the first engines are there
START_SECONDS = 300.0  # in which the first engines must come: a machine may have to be started for them


class Place(NamedTuple):
    """Where an engine listens. The token is made with the engine: another one has another place."""

    host: str
    port: int
    token: str


class RemoteLine(Line):
    """A line to an engine that listens."""

    def __init__(self, place: Place, hear: Callable[[RemoteLine, Word], None]) -> None:
        super().__init__(hear)
        self.place = place
        self.device = "-"  # that it runs on, once it has said so

    @property
    def name(self) -> str:
        """See `Line.name`."""
        return f"engine {self.place.host}:{self.place.port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Show the token first."""
        super().connection_made(transport)
        if self.transport is not None:
            self.transport.write(self.place.token.encode())

    def tell(self, word: Word) -> None:
        """See `Line.tell`."""
        if isinstance(word, Ask) and word.job.options.deadline is not None:
            left = replace(word.job.options, deadline=word.job.options.deadline - time.monotonic())
            word = Ask(word.number, replace(word.job, options=left))
        super().tell(word)

    def kill(self) -> None:
        """Hang up: whoever started that engine looks after it."""
        if self.transport is not None:
            self.transport.abort()
        self.connection_lost(None)


class RemoteLink(Dispatch):
    """See `service.messages.Link`. Its models stay: engines have others to serve, too."""

    def __init__(
        self,
        bundles: Mapping[str, Bundle],
        whereabouts: Callable[[], Awaitable[Iterable[Place]]],
        *,
        rows: int,
        queue: int,
        heartbeat: float,
        attempts: int,
    ) -> None:
        """whereabouts: says where engines listen now; the rest as in `Dispatch`."""
        super().__init__(bundles, rows=rows, queue=queue, attempts=attempts)
        self.whereabouts, self.heartbeat = whereabouts, heartbeat
        self.engines: dict[Place, RemoteLine] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Return when every model has an engine.

        Raises:
            NotReady: one has none for long.
        """
        self._begin(self._search())
        try:
            async with asyncio.timeout(START_SECONDS):
                while not self.ready():  # noqa: ASYNC110  asked anew each time: an engine may come and go
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            await self.stop()
            without = ", ".join(model for model in self.stock.kept if not self.lines(model))
            raise NotReady(f"no engine came for {without}") from None
        except BaseException:
            await self.stop()
            raise

    def ready(self) -> bool:
        """Whether every model has an engine that takes jobs now."""
        return not self.draining and all(self.lines(model) for model in self.stock.kept)

    def vitals(self) -> Vitals:
        """See `Link.vitals`. Engines serve other fronts, too: what they count is everybody's."""
        up = Counter(line.device for line in self.engines.values() if line.open)
        return Vitals(self.ledger.figures(), up, {}, self.homeless())

    def lines(self, model: str) -> Sequence[Line]:
        """Engines that have this model."""
        return [line for line in self.engines.values() if line.open and model in line.models]

    def in_vain(self) -> bool:
        """Never: whoever starts engines does so again. Jobs wait until their deadline."""
        return False

    async def stop(self) -> None:
        """Hang up, everywhere. Engines drop what this front has asked."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _search(self) -> None:
        """Ask for ever where engines are, and speak to those who are new, or were lost and are still listed."""
        while True:
            try:
                async with asyncio.timeout(self.heartbeat):
                    places = list(await self.whereabouts())
            except Exception as failure:  # noqa: BLE001  whatever it is, the lines there are go on
                log.warning("nobody says where engines are: %s", type(failure).__name__)
                places = []
            for place in places:
                if place not in self.engines:
                    self.engines[place] = RemoteLine(place, self._hear)
                    self._begin(self._keep(place, self.engines[place]))
            await asyncio.sleep(SEARCH_SECONDS)

    async def _keep(self, place: Place, line: RemoteLine) -> None:
        """Speak to an engine until it is gone."""
        try:
            async with asyncio.timeout(self.heartbeat):
                await asyncio.get_running_loop().create_connection(lambda: line, place.host, place.port)
            await line.watch(self.heartbeat, self.heartbeat)
        except OSError as nobody:
            log.debug("%s cannot be reached: %s", line.name, type(nobody).__name__)
        finally:
            del self.engines[place]
            line.kill()
            moved = self.gone(line, crashed=line.ready and not line.leaving)
            if line.ready:
                log.warning("%s %s; %d jobs go elsewhere", line.name, "left" if line.leaving else "is lost", moved)

    def _hear(self, line: RemoteLine, word: Word) -> None:
        if isinstance(word, Say):
            line.answers += 1
            self.said(line, word)
        elif isinstance(word, Report):
            line.device = next((device for _, device in word.figures), line.device)
            self.reported(line, word)
        elif isinstance(word, Ready):
            log.info("%s is ready", line.name)
            self.arrived(line)
