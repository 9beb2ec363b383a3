"""The models of a link, changed while it serves: loaded and warmed first, asked for then, drained last.

Knows nothing of engines: a `Floor` puts bundles into them and takes them out. See `service.messages.Repository`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bundle import zoo
from bundle.manifest import BadBundle, Bundle
from service.errors import Conflict, LoadFailed, OverBudget, UnknownModel
from service.link.stock import Stock
from service.messages import Shown

log = logging.getLogger("heed.link")


class Floor(Protocol):
    """Where the engines of a link are."""

    async def put(self, bundle: Bundle) -> None:
        """Load and warm a bundle in every engine, or in none.

        Raises:
            LoadFailed, NotReady: one could not, or there is none.
        """

    async def take(self, model: str) -> None:
        """Free a model in every engine; one that cannot is replaced."""

    def cost(self, model: str) -> int:
        """Resident bytes that a model was measured to take, in all engines together."""


class Repository:
    """Of one link. One change at a time: who comes meanwhile waits."""

    def __init__(self, stock: Stock, floor: Floor, folder: Path, *, budget: int | None, patience: float) -> None:
        """folder: the zoo; budget: resident bytes for all models in all engines, if bounded.

        patience: seconds for those who are at work on a model that leaves, longer than any request may last.
        """
        self.stock, self.floor, self.folder = stock, floor, folder
        self.budget, self.patience = budget, patience
        self.lock = asyncio.Lock()

    async def shown(self) -> Sequence[Shown]:
        """See `service.messages.Repository`, as for all of these."""
        there = await asyncio.to_thread(zoo.scan, self.folder)
        stock = self.stock
        shelf = [
            Shown(one.id, "loaded", stock.shelf.is_default(one), self.floor.cost(one.id))
            for one in stock.shelf.values()
        ]
        leaving = [Shown(model, "leaving", bytes=self.floor.cost(model)) for model in stock.leaving]
        return [*shelf, *leaving, *(Shown(model, "available") for model in there if model not in stock.kept)]

    async def load(self, model: str, *, default: bool = False, replace: bool = False) -> str:
        """Warm before it is asked for; drained after nobody can ask for it."""
        async with self.lock:
            bundle = await self._found(model)
            if not self._is_there(bundle):
                self._fits(bundle.id, bundle.least_bytes)
                await self.floor.put(bundle)
                await self._measured(bundle)
                self.stock.add(bundle)
            before = self.stock.shelf[bundle.manifest.name]
            if default or replace:
                self.stock.shelf = self.stock.shelf.preferring(bundle.id)
            if replace and before.id != bundle.id:
                await self._retire(before.id)
        return bundle.id

    async def unload(self, model: str) -> str:
        """The newest version that is left becomes the default of its name."""
        async with self.lock:
            gone = self._on_shelf(model).id
            if len(self.stock.shelf) == 1:
                raise Conflict("It is the last model that is loaded; a service without one answers nothing.")
            await self._retire(gone)
        return gone

    async def prefer(self, model: str, *, first: bool = False) -> str:
        """Takes effect at once."""
        async with self.lock:
            chosen = self._on_shelf(model).id
            self.stock.shelf = self.stock.shelf.preferring(chosen, first=first)
        return chosen

    def check(self) -> None:
        """Raises: OverBudget: what is loaded takes more than it may."""
        self._fits("", 0)

    async def _found(self, model: str) -> Bundle:
        """A bundle of the zoo, its digests checked.

        Raises:
            UnknownModel, LoadFailed: it is not there, or broken.
        """
        try:
            bundle = await asyncio.to_thread(zoo.pick, self.folder, model)
        except BadBundle as broken:
            raise LoadFailed(f"{broken.path.name}: {broken.why}") from broken
        if bundle is None:
            raise UnknownModel(f"There is no {model[:80]!r} in the zoo.")
        return bundle

    def _is_there(self, bundle: Bundle) -> bool:
        """Whether this very bundle is loaded.

        Raises:
            Conflict: another is, under the same id.
        """
        there = self.stock.shelf.get(bundle.id)
        if there is not None and there.manifest != bundle.manifest:
            raise Conflict(f"Another {bundle.id} is loaded: a bundle that differs needs a version of its own.")
        return there is not None

    def _on_shelf(self, model: str) -> Bundle:
        if model not in self.stock.shelf:
            raise UnknownModel(f"There is no {model[:80]!r} loaded.")
        return self.stock.shelf[model]

    async def _measured(self, bundle: Bundle) -> None:
        """Look again at the budget, now that it is known what a bundle takes.

        Raises:
            OverBudget: too much; it is put away again.
        """
        try:
            self._fits(bundle.id, self.floor.cost(bundle.id))
        except OverBudget:
            await self.floor.take(bundle.id)
            raise

    def _fits(self, model: str, more: int) -> None:
        """Raises: OverBudget: so many bytes more do not fit."""
        taken = sum(self.floor.cost(one) for one in self.stock.kept)
        if self.budget is not None and taken + more > self.budget:
            what = f"{model} takes {_mb(more)}, and those loaded take" if model else "The models loaded take"
            raise OverBudget(
                f"{what} {_mb(taken)}; the budget is {_mb(self.budget)}.", limit=self.budget, actual=taken + more
            )

    async def _retire(self, model: str) -> None:
        """Withdraw a model, let those who are at work on it finish, and free it."""
        self.stock.withdraw(model)
        try:
            async with asyncio.timeout(self.patience):
                await self.stock.idle(model)
        except TimeoutError:
            log.warning("%s was still at work after %g s, and is cut", model, self.patience)
        self.stock.forget(model)
        await self.floor.take(model)


def _mb(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
