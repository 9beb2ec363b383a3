"""What a link serves now: the shelf that can be asked from, what is leaving it, and who is at work on what.

Knows nothing of engines or of how bundles get into them. Lives on one event loop: nothing here waits between a look
and a change, but for `idle`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bundle.manifest import Bundle
from bundle.shelf import Shelf
from service.errors import UnknownModel


class Stock:
    """Models by id, `name@version`."""

    def __init__(self, bundles: Iterable[Bundle] = ()) -> None:
        """The first bundle of a name is its default."""
        self.shelf = Shelf(bundles)
        self.leaving: dict[str, Bundle] = {}
        self.holds: Counter[str] = Counter()
        self.left = asyncio.Event()  # somebody stopped being at work

    @property
    def kept(self) -> dict[str, Bundle]:
        """All that engines must have: what can be asked for, and what is leaving."""
        return {one.id: one for one in self.shelf.values()} | self.leaving

    def hold(self, model: str) -> AbstractContextManager[object]:
        """Count somebody as at work on a model, from now on until the context is left.

        Raises:
            UnknownModel: it cannot be asked for.
        """
        if model not in self.shelf:
            raise UnknownModel(f"there is no model named {model[:80]!r} here")
        return self._held(self.shelf[model].id)

    @contextmanager
    def at_work(self, model: str) -> Iterator[str]:
        """The same for who has begun before: on what is leaving, too. Gives the id.

        Raises:
            UnknownModel: it is not there.
        """
        with self._held(model) if model in self.leaving else self.hold(model):
            yield model if model in self.leaving else self.shelf[model].id

    def add(self, bundle: Bundle, *, default: bool = False) -> None:
        """Let a bundle be asked for."""
        self.shelf = self.shelf.with_one(bundle, default=default)

    def withdraw(self, model: str) -> None:
        """Let nobody new ask for one; who is at work on it goes on."""
        self.leaving[model] = self.shelf[model]
        self.shelf = self.shelf.without(model)

    def forget(self, model: str) -> None:
        """It has left."""
        self.leaving.pop(model, None)

    async def idle(self, model: str) -> None:
        """Wait until nobody is at work on a model."""
        while self.holds[model]:
            self.left.clear()
            await self.left.wait()

    def _held(self, model: str) -> AbstractContextManager[object]:
        self.holds[model] += 1
        stack = ExitStack()
        stack.callback(self._let_go, model)
        return stack

    def _let_go(self, model: str) -> None:
        self.holds[model] -= 1
        if not self.holds[model]:
            del self.holds[model]
            self.left.set()
