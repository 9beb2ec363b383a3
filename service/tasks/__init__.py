"""The tasks of this folder, found by their files: each defines one `TASK`; one that does not stops start-up.

Knows nothing of any one task.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from service.tasks.contract import Task

NOT_TASKS = {
    "__init__",
    "answer",
    "chain",
    "contract",
    "detection",
    "documents",
    "examples",
    "keeping",
    "live",
    "mapped",
    "selves",
    "spoken",
    "ways",
    "whatif",
}


def discover(folder: Path = Path(__file__).parent) -> dict[str, Task[Any, Any]]:
    """Every task by name, in the order of the files.

    Raises:
        ImportError: a file without its TASK, or two with the same name.
    """
    tasks: dict[str, Task[Any, Any]] = {}
    for path in sorted(folder.glob("*.py")):
        if path.stem in NOT_TASKS:
            continue
        task = getattr(importlib.import_module(f"service.tasks.{path.stem}"), "TASK", None)
        if not isinstance(task, Task) or task.name in tasks:
            raise ImportError(f"{path}: defines no TASK of its own", path=str(path))
        tasks[task.name] = task
    return tasks
