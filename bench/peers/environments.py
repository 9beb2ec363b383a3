"""An environment for each peer: made once from its pinned requirements, outside of ours.

Knows nothing of what runs in it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent
ROOT = REQUIREMENTS.parents[1]


class Missing(RuntimeError):
    """A peer that cannot be installed on this machine."""


def names() -> list[str]:
    """Every peer that has requirements."""
    return sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def python_of(name: str, where: Path) -> Path:
    """The interpreter of a peer's environment, made on the first call; an interrupted install is done again.

    Raises:
        Missing: pip said no; the end of what it said.
    """
    wanted = REQUIREMENTS / f"{name}.txt"
    stamp, python = where / name / "installed", where / name / "bin/python"
    mark = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == mark:
        return python.absolute()
    print(f"making the environment of {name} in {where / name}", file=sys.stderr, flush=True)
    _do(name, sys.executable, "-m", "venv", "--clear", str(where / name))
    _do(name, str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(wanted))
    stamp.write_text(mark)
    return python.absolute()


def _do(name: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own words
    if done.returncode:
        raise Missing(f"{name} cannot be installed here: {' '.join(done.stderr.split())[-600:]}")
