"""The files of the repository as a fresh clone has them, without asking git.

Knows nothing of what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("bundle", "models", "export", "service", "client", "bench")  # the folders that hold our Python, tests aside
HIDDEN_BUT_OURS = {".ci", ".dockerignore", ".gitignore"}
NEVER_COMMITTED = {"runs", "data", "build", "dist", "node_modules", "__pycache__"}  # see .gitignore


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that a commit may hold, in order."""
    for path in sorted(folder.iterdir()):
        if path.name in NEVER_COMMITTED or path.suffix in {".egg-info", ".pyc", ".pt", ".pth"}:
            continue
        if path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS:
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def python() -> list[Path]:
    """Every Python file of the rooms and the tests."""
    return [path for path in files() if path.suffix == ".py"]


def of_rooms() -> list[Path]:
    """Every Python file of the rooms."""
    return [path for path in python() if path.relative_to(ROOT).parts[0] in ROOMS]


def relative(path: Path) -> str:
    """A path as the README writes it."""
    return path.relative_to(ROOT).as_posix()
