"""The link to an engine in this very process: its threads on one side, the event loop on the other.

Knows nothing of sessions, tasks or HTTP; the engine is handed to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Protocol

from bundle.manifest import Bundle
from service.messages import Done, Event, Failed, Job
from service.telemetry.figures import Figures, Key, Vitals
from service.telemetry.ledger import Ledger


class Engine(Protocol):
    """What the link asks of an engine; see `service.engine.catalog.Catalog`."""

    bundles: dict[str, Bundle]

    def start(self) -> None: ...
    def ready(self) -> bool: ...
    def stuck(self, seconds: float) -> bool: ...
    def submit(self, job: Job, sink: Callable[[Event], None]) -> Any: ...
    def cancel(self, ticket: Any) -> None: ...
    def drain(self, seconds: float) -> None: ...
    def figures(self) -> Mapping[Key, Figures]: ...


HERE = "here"  # what the ledger calls the one engine there is


class LocalLink:
    """See `service.messages.Link`. `make` builds the engine, off the event loop, when the link starts."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self.make = make
        self.engine: Engine | None = None
        self.ledger: Ledger[str] = Ledger()

    @property
    def bundles(self) -> Mapping[str, Bundle]:
        """The bundles loaded; none before the start."""
        return self.engine.bundles if self.engine else {}

    async def start(self) -> None:
        """Load every bundle and start the loops.

        Raises:
            BadBundle: one cannot be served.
        """
        self.engine = await asyncio.to_thread(self.make)
        self.engine.start()

    def ready(self) -> bool:
        """Whether every loop lives and accepts jobs."""
        return self.engine is not None and self.engine.ready()

    def vitals(self) -> Vitals:
        """See `Link.vitals`."""
        figures = self.engine.figures() if self.engine else {}
        self.ledger.hear(HERE, figures)
        return Vitals(self.ledger.figures(), {device: int(self.ready()) for _, device in figures})

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        """See `Link.submit`. Leaving the iterator early frees the job's slot."""
        if self.engine is None:
            raise RuntimeError("the link is not started")
        loop, events = asyncio.get_running_loop(), asyncio.Queue[Event]()

        def sink(event: Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(events.put_nowait, event)

        ticket = self.engine.submit(job, sink)
        over = False
        try:
            while not over:
                event = await events.get()
                over = isinstance(event, Done | Failed)
                yield event
        finally:
            if not over:
                self.engine.cancel(ticket)

    async def drain(self, seconds: float) -> None:
        """Stop the engine; see `Link.drain`."""
        if self.engine is not None:
            await asyncio.to_thread(self.engine.drain, seconds)
