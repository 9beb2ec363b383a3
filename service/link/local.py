"""The link to an engine in this very process: its threads on one side, the event loop on the other.

Knows nothing of sessions, tasks or HTTP; the engine is handed to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from bundle.manifest import BadBundle, Bundle
from service.errors import LoadFailed, NotReady
from service.link.repository import Repository
from service.link.stock import Stock
from service.messages import Done, Event, Failed, Job
from service.telemetry.figures import Figures, Key, Vitals
from service.telemetry.ledger import Ledger


class Engine(Protocol):
    """What the link asks of an engine; see `service.engine.catalog.Catalog`."""

    @property
    def bundles(self) -> Mapping[str, Bundle]: ...  # by id, in order of preference

    costs: dict[str, int]  # by id, resident bytes

    def start(self) -> None: ...
    def load(self, bundle: Bundle) -> None: ...
    def unload(self, model: str) -> None: ...
    def ready(self) -> bool: ...
    def stuck(self, seconds: float) -> bool: ...
    def submit(self, job: Job, sink: Callable[[Event], None]) -> Any: ...
    def cancel(self, ticket: Any) -> None: ...
    def drain(self, seconds: float) -> None: ...
    def figures(self) -> Mapping[Key, Figures]: ...


HERE = "here"  # what the ledger calls the one engine there is


class LocalLink:
    """See `service.messages.Link`. `make` builds the engine, off the event loop, when the link starts."""

    def __init__(
        self,
        make: Callable[[], Engine],
        zoo: Path = Path("zoo"),
        *,
        budget: int | None = None,
        load_seconds: float = 120.0,
        patience: float = 60.0,
    ) -> None:
        """zoo: where more bundles are found; budget and patience: as in `Repository`; load_seconds: for one bundle."""
        self.make, self.load_seconds = make, load_seconds
        self.engine: Engine | None = None
        self.ledger: Ledger[str] = Ledger()
        self.stock = Stock()
        self.repository = Repository(self.stock, self, zoo, budget=budget, patience=patience)

    @property
    def bundles(self) -> Mapping[str, Bundle]:
        """The bundles loaded; none before the start."""
        return self.stock.shelf

    async def start(self) -> None:
        """Load every bundle and start the loops.

        Raises:
            BadBundle: one cannot be served.
            OverBudget: together they take too much memory.
        """
        self.engine = await asyncio.to_thread(self._started)
        for bundle in self.engine.bundles.values():
            self.stock.add(bundle)
        self.repository.check()

    def _started(self) -> Engine:
        """The engine with its loops, which are started where it was made: they inherit how that thread counts."""
        engine = self.make()
        engine.start()
        return engine

    def ready(self) -> bool:
        """Whether every loop lives and accepts jobs."""
        return self.engine is not None and self.engine.ready()

    def vitals(self) -> Vitals:
        """See `Link.vitals`."""
        figures = self.engine.figures() if self.engine else {}
        self.ledger.hear(HERE, figures)
        return Vitals(self.ledger.figures(), {device: int(self.ready()) for _, device in figures})

    def hold(self, model: str) -> AbstractContextManager[object]:
        """See `Link.hold`."""
        return self.stock.hold(model)

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        """See `Link.submit`. Leaving the iterator early frees the job's slot."""
        engine = self._engine()
        loop, events = asyncio.get_running_loop(), asyncio.Queue[Event]()

        def sink(event: Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(events.put_nowait, event)

        with self.stock.at_work(job.model) as model:
            ticket = engine.submit(replace(job, model=model), sink)
            over = False
            try:
                while not isinstance(event := await events.get(), Done | Failed):
                    yield event
                over = True
            finally:
                if not over:
                    engine.cancel(ticket)
        yield event

    async def drain(self, seconds: float) -> None:
        """Stop the engine; see `Link.drain`."""
        if self.engine is not None:
            await asyncio.to_thread(self.engine.drain, seconds)

    # What the repository asks for; see `service.link.repository.Floor`.

    def cost(self, model: str) -> int:
        """As the engine measured it."""
        return self.engine.costs.get(model, 0) if self.engine else 0

    async def put(self, bundle: Bundle) -> None:
        """Load a bundle in a thread. One that hangs cannot be stopped: if it ever comes back, it is put away.

        Raises:
            LoadFailed, NotReady: it cannot be loaded, or not in time.
        """
        engine = self._engine()
        loading = asyncio.create_task(asyncio.to_thread(engine.load, bundle))
        await asyncio.wait({loading}, timeout=self.load_seconds)
        if not loading.done():
            loading.add_done_callback(lambda done: None if done.exception() else engine.unload(bundle.id))
            raise LoadFailed(f"The engine was not done after {self.load_seconds:g} s.")
        try:
            loading.result()
        except BadBundle as broken:
            raise LoadFailed(f"The engine could not: {broken.path.name}: {broken.why}.") from broken

    async def take(self, model: str) -> None:
        """Free a model."""
        await asyncio.to_thread(self._engine().unload, model)

    def _engine(self) -> Engine:
        if self.engine is None:
            raise NotReady("The link is not started.", retry_after=5)
        return self.engine
