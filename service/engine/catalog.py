"""The loops of the bundles that are loaded, one a model, sharing one pool of threads.

Knows nothing of how jobs get here.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Many
from pathlib import Path

from bundle.manifest import BadBundle, named
from service.engine.loop import Loop
from service.engine.sequence import Sequence
from service.engine.session import Session, share_threads
from service.errors import UnknownModel
from service.messages import Event, Job
from service.telemetry.figures import Figures, Key, Tally

NEWCOMERS = {"text": 32, "image": 4}  # guests encoded together: a picture's encoder is long, and holds up those seated


class Catalog:
    """Bundles by name and the loop of each."""

    def __init__(
        self,
        folder: Path,
        *,
        names: Many[str] | None = None,
        threads: int,
        precision: str,
        rows: int,
        queue: int,
        cells: int = 2**20,
        patience: float = 2.0,
        device: str = "cpu",
    ) -> None:
        """Load the bundles of a folder, all or those named; the rest as in `Session` and `Loop`.

        Raises:
            BadBundle: one of them cannot be served, one that was named is not there, or there is none.
        """
        share_threads(threads)
        self.bundles = named(folder, names)
        self.loops: dict[str, Loop] = {}
        self.devices: dict[str, str] = {}  # by model
        for name, bundle in self.bundles.items():
            session = Session(bundle, precision=precision, device=device)
            self.devices[name] = session.device.name
            seats = {"rows": rows, "newcomers": NEWCOMERS[bundle.manifest.input], "queue": queue, "cells": cells}
            try:
                self.loops[name] = Loop(session, name, **seats, patience=patience)
            except ValueError as small:
                raise BadBundle(bundle.path, str(small)) from small

    def start(self) -> None:
        """Start every loop."""
        for loop in self.loops.values():
            loop.start()

    def ready(self) -> bool:
        """Whether every model can be asked for."""
        return all(loop.ready() for loop in self.loops.values())

    def stuck(self, seconds: float) -> bool:
        """Whether a loop hangs; see `Loop.stuck`."""
        return any(loop.stuck(seconds) for loop in self.loops.values())

    def load(self) -> int:
        """Beam rows seated and waiting, of all models."""
        return sum(loop.seated() + loop.scheduler.waiting_rows for loop in self.loops.values())

    def figures(self) -> dict[Key, Figures]:
        """What each loop counted."""
        return {(name, self.devices[name]): loop.figures() for name, loop in self.loops.items()}

    def count_anew(self) -> None:
        """Forget what was counted: to warm up is no work."""
        for loop in self.loops.values():
            loop.tally = Tally()

    def submit(self, job: Job, sink: Callable[[Event], None]) -> Sequence:
        """Queue a job at its model's loop; see `Loop.submit`.

        Raises:
            UnknownModel: no such model is loaded.
        """
        return self._loop(job.model).submit(job, sink)

    def cancel(self, sequence: Sequence) -> None:
        """Free the place of a job nobody waits for."""
        self._loop(sequence.job.model).cancel(sequence)

    def drain(self, seconds: float) -> None:
        """Stop every loop, within this time in all."""
        for loop in self.loops.values():
            loop.draining = True
        for loop in self.loops.values():
            loop.drain(seconds)

    def _loop(self, model: str) -> Loop:
        if model not in self.loops:
            raise UnknownModel(f"there is no model named {model[:80]!r} here")
        return self.loops[model]
