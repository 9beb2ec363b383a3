"""The loops of the bundles that are loaded, one a version of a model, sharing one pool of threads.

Knows nothing of how jobs get here, or of which version is a default: jobs name theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Many
from pathlib import Path

from bundle.manifest import AT, BadBundle, Bundle
from bundle.zoo import named
from service.engine.loop import Loop
from service.engine.memory import give_back, resident
from service.engine.search import Rules
from service.engine.sequence import Sequence
from service.engine.session import Session, share_threads
from service.engine.warm import warm
from service.errors import UnknownModel
from service.messages import Event, Job
from service.telemetry.figures import Figures, Key, Tally

NEWCOMERS = {"text": 32, "image": 4}  # guests encoded together: a picture's encoder is long, and holds up those seated


class Catalog:
    """Bundles by id (`name@version`), the loop of each, and the resident bytes that it took to load and warm."""

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
        rules: Rules = Rules(),  # noqa: B008 - frozen
        device: str = "cpu",
    ) -> None:
        """Load the bundles of a folder, the newest of each name or those named; the rest as in `Session` and `Loop`.

        Raises:
            BadBundle: one of them cannot be served, one that was named is not there, or there is none.
        """
        share_threads(threads)
        self.precision, self.device = precision, device
        self.seats = {"rows": rows, "queue": queue, "cells": cells}
        self.patience, self.rules = patience, rules
        self.bundles: dict[str, Bundle] = {}
        self.loops: dict[str, Loop] = {}
        self.costs: dict[str, int] = {}
        self.devices: dict[str, str] = {}
        for bundle in named(folder, names).values():
            before = resident()
            loop, least = self._made(bundle)
            self._keep(bundle, loop, max(least, resident() - before))

    def start(self) -> None:
        """Start every loop."""
        for loop in self.loops.values():
            loop.start()

    def warm(self) -> None:
        """Ask every loop once.

        Raises:
            BadBundle: one does not answer.
        """
        for model, bundle in self.bundles.items():
            before = resident()
            warm(self.loops[model], bundle)
            self.costs[model] += max(0, resident() - before)
        self.count_anew()

    def load(self, bundle: Bundle) -> None:
        """Load and warm one more while the others are served, and serve it from then on.

        Raises:
            BadBundle: it cannot be served; nothing is changed.
        """
        if bundle.id in self.loops:
            return
        before = resident()
        loop, least = self._made(bundle)
        loop.start()
        try:
            warm(loop, bundle)
        except BaseException:
            loop.drain(0)
            raise
        loop.tally = Tally()
        self._keep(bundle, loop, max(least, resident() - before))

    def unload(self, model: str, seconds: float = 0) -> None:
        """Serve one no longer; what it was asked before is finished within this time."""
        self.bundles.pop(model, None)
        self.costs.pop(model, None)
        self.devices.pop(model, None)
        loop = self.loops.pop(model, None)  # first: a loop that drains is not ready, and those that serve all are
        if loop is not None:
            loop.drain(seconds)
        del loop
        give_back()

    def ready(self) -> bool:
        """Whether every model can be asked for."""
        return all(loop.ready() for loop in list(self.loops.values()))

    def stuck(self, seconds: float) -> bool:
        """Whether a loop hangs; see `Loop.stuck`."""
        return any(loop.stuck(seconds) for loop in list(self.loops.values()))

    def rows(self) -> int:
        """Beam rows seated and waiting, of all models."""
        return sum(loop.seated() + loop.scheduler.waiting_rows for loop in list(self.loops.values()))

    def figures(self) -> dict[Key, Figures]:
        """What each loop counted."""
        return {(name, self.devices.get(name, "")): loop.figures() for name, loop in list(self.loops.items())}

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
        try:
            self._loop(sequence.job.model).cancel(sequence)
        except UnknownModel:
            return  # its model was unloaded meanwhile, and its place with it

    def drain(self, seconds: float) -> None:
        """Stop every loop, within this time in all."""
        loops = list(self.loops.values())
        for loop in loops:
            loop.draining = True
        for loop in loops:
            loop.drain(seconds)

    def _made(self, bundle: Bundle) -> tuple[Loop, int]:
        """A loop that is not started, and the bytes that it takes at the least.

        Raises:
            BadBundle: it cannot be served.
        """
        session = Session(bundle, precision=self.precision, device=self.device)
        newcomers = NEWCOMERS[bundle.manifest.input]
        try:
            patience, rules = self.patience, self.rules
            loop = Loop(session, bundle.id, newcomers=newcomers, patience=patience, rules=rules, **self.seats)
        except ValueError as small:
            raise BadBundle(bundle.path, str(small)) from small
        self.devices[bundle.id] = session.device.name
        return loop, session.least_bytes

    def _keep(self, bundle: Bundle, loop: Loop, cost: int) -> None:
        self.bundles[bundle.id] = bundle
        self.costs[bundle.id] = cost
        self.loops[bundle.id] = loop

    def _loop(self, model: str) -> Loop:
        """The loop of a version; of a name alone, the first there is."""
        found = self.loops.get(model)
        if found is None and AT not in model:
            found = next((loop for id_, loop in list(self.loops.items()) if id_.partition(AT)[0] == model), None)
        if found is None:
            raise UnknownModel(f"there is no model named {model[:80]!r} here")
        return found
