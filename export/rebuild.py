"""A model from its recipe, with all that comes before it: python -m export rebuild --recipe R --data DIR --out RUN.

What the recipe's `first` names is made in RUN/start, the same way and so on down; then what teachers write (`distil`,
`back`), then the net itself. A second call goes on where the first one stopped. Knows nothing of nets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from export import back, distil
from models.train import train


def texts(recipe: Path, data: Path, out: Path) -> None:
    """Have written what a recipe's teachers are to write, where it is not there."""
    given = ["--recipe", str(recipe), "--data", str(data), "--out", str(out)]
    distil.main(given)
    back.main(given)


def main(arguments: list[str]) -> int:
    """Rebuild one model."""
    parser = argparse.ArgumentParser(prog="python -m export rebuild", description="A model and all it begins with.")
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="such as runs/NAME")
    given = parser.parse_args(arguments)
    train(given.recipe, given.data, given.out, before=texts)
    return 0
