"""What the training loop asks of a task: batches, a loss, a score on the development set.

Knows nothing of optimisers, schedules or checkpoints. One file a task; a recipe names it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn


class Task(Protocol):
    """A task is built as `Task(recipe, data, out)`: the recipe, the `--data` folder, the run's own folder."""

    net: nn.Module

    def batches(self, epoch: int, random: np.random.Generator) -> Iterator[Any]:
        """One epoch of batches, shuffled by `random` alone, so that a resumed run sees the same ones."""
        ...

    def loss(self, batch: Any) -> tuple[Tensor, int]:
        """Mean loss a target position, to be differentiated, and the number of positions."""
        ...

    def score(self) -> dict[str, float]:
        """Figures on the development set with the net as it stands; `score` is the one to keep the best of."""
        ...


def task(name: str, recipe: dict[str, Any], data: Path, out: Path) -> Task:
    """The task of `models/tasks/{name}.py`, its class named as the file, in CamelCase.

    Raises:
        ValueError: no such file, or it does not define its one expected class.
    """
    expected = name.capitalize()
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as missing:
        raise ValueError(f"no task {name!r}: expected a file models/tasks/{name}.py") from missing
    if not hasattr(module, expected):
        raise ValueError(f"{module.__file__} must define class {expected}")
    made: Task = getattr(module, expected)(recipe, data, out)
    return made
