"""Several runs from one start, and the mean of the weights they end with.

Wortsman et al. 2022, "Model soups", §2: nets that began with the same weights lie close enough that their mean is often
better than each, at the price of one. Knows nothing of training. A recipe asks for it with

    "mean": [{"train": {"seed": 4}}, {"train": {"seed": 5, "rate": 6e-4}}]

what each run does otherwise than the recipe. RUN-1, RUN-2, … beside RUN are their folders, with RUN's start. "start"
in the list, once or more often, stands for the weights that all began with: what they knew and the runs forgot
(Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", §3).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.recipe import merged

START = "start"  # of a list of runs: the weights that they began with


def runs(recipe: dict[str, Any], out: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """Each run's own recipe and folder; the folder begins with what the first recipe left in OUT/start."""
    common = {key: value for key, value in recipe.items() if key != "mean"}
    for number, own in enumerate((one for one in recipe["mean"] if one != START), 1):
        folder = out.with_name(f"{out.name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        if "first" in recipe and not (folder / "start").exists():
            (folder / "start").symlink_to(os.path.relpath(out / "start", folder))
        yield merged(common, own), folder


def stir(recipe: dict[str, Any], out: Path) -> None:
    """Write OUT/best.pt and OUT/vocabulary.model: the mean of the runs' best weights, all with the same pieces.

    Steps and minutes are those of the runs together; the start's were its own.

    Raises:
        ValueError: the runs do not know the same pieces, so that their weights are of different things.
    """
    folders = [folder for _, folder in runs(recipe, out)]
    every = [*folders, *[out / START] * recipe["mean"].count(START)]
    vocabularies = {(folder / "vocabulary.model").read_bytes() for folder in every}
    if len(vocabularies) != 1:
        raise ValueError(f"{', '.join(map(str, every))} have different vocabularies: there is no mean of them")
    kept = [torch.load(folder / "best.pt", weights_only=True) for folder in every]
    figures = {key: sum(one["figures"][key] for one in kept[: len(folders)]) for key in ("step", "minutes")}
    content = {"recipe": recipe, "net": mean([one["net"] for one in kept]), "figures": figures, "history": []}
    torch.save(content, out / "best.pt")
    (out / "vocabulary.model").write_bytes(vocabularies.pop())


def told(recipe: dict[str, Any]) -> str:
    """What a recipe's mean is of, for a card: "2 runs", "2 runs and their start", "1 run and 3 times its start"."""
    starts = recipe["mean"].count(START)
    number = len(recipe["mean"]) - starts
    text, whose = (f"{number} runs", "their") if number > 1 else ("1 run", "its")
    times = f"{starts} times " if starts > 1 else ""
    return f"{text} and {times}{whose} start" if starts else text


def mean(nets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several nets' weights, name by name; what is not a floating-point number is the first one's."""
    return {
        name: torch.stack([net[name] for net in nets]).mean(0) if value.is_floating_point() else value
        for name, value in nets[0].items()
    }
