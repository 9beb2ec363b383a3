"""What the server holds when it starts is not looked through again; what requests leave behind is still collected."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from service.serve import NEW, settle


class Knot:
    """Holds itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_there_stays_and_what_comes_later_is_collected() -> None:
    there = Knot()
    settle()
    assert gc.get_freeze_count() > 0 and not any(one is there for one in gc.get_objects())
    left = weakref.ref(Knot())
    assert left() is not None
    kept: list[list[int]] = [[] for _ in range(NEW + 1)]
    assert left() is None and len(kept) == NEW + 1
