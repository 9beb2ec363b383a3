"""A model from its recipe, with all that comes before it: python -m export rebuild --recipe R --data DIR --out RUN.

What the recipe's `first` names is made in RUN/start, the same way and so on down; then what teachers write (`distil`,
`back`, `candidates`), then the net itself. What a teacher wrote for the run before is taken over where this one asks
for the same. A second call goes on where the first one stopped. Knows nothing of nets.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from export import back, candidates, distil
from models.recipe import read
from models.train import train


def texts(recipe: Path, data: Path, out: Path) -> None:
    """Have written what a recipe's teachers are to write, where it is not there."""
    content = read(recipe)
    if "first" in content:
        before = asked(read(recipe.with_name(f"{content['first']}.json")))
        for file, how in asked(content).items():
            if before.get(file) == how:
                take(out / "start" / file, out / file)
    given = ["--recipe", str(recipe), "--data", str(data), "--out", str(out)]
    for written in (distil, back, candidates):
        written.main(given)


def asked(recipe: dict[str, Any]) -> dict[str, Any]:
    """The files that a recipe's teachers are to write, and all that says how; none for a teacher of the run's own."""
    files: dict[str, Any] = {}
    for part in (recipe[name] for name in ("distil", "candidates") if "teacher" in recipe.get(name, {})):
        files[part["file"]] = [part, recipe["data"]["source"], recipe["data"]["target"]]
    for entry in recipe.get("back", {"texts": []})["texts"]:
        files[entry["file"]] = [recipe["back"]["teacher"], entry]
    return files


def take(written: Path, wanted: Path) -> None:
    """Copy a text that is there to where it is not; whole or not at all."""
    if written.exists() and not wanted.exists():
        wanted.parent.mkdir(parents=True, exist_ok=True)
        unfinished = wanted.with_name(f"{wanted.name}.tmp")
        shutil.copyfile(written, unfinished)
        unfinished.replace(wanted)


def main(arguments: list[str]) -> int:
    """Rebuild one model."""
    parser = argparse.ArgumentParser(prog="python -m export rebuild", description="A model and all it begins with.")
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="such as runs/NAME")
    given = parser.parse_args(arguments)
    train(given.recipe, given.data, given.out, before=texts)
    return 0
