"""One training run as a bundle: python -m export RUN BUNDLE --data DIR.

Knows nothing of graphs or of how a bundle is proved; it brings a run's weights, card and real inputs to `build`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bundle.manifest import Manifest
from bundle.text import Vocabulary
from export import checkpoint
from export.build import build
from export.parity import NotEqual
from models import soup
from models.recipe import read


def ship(
    run: Path,
    bundle: Path,
    data: Path,
    card: dict[str, Any] | None = None,
    precisions: Sequence[str] = ("int8",),
    inputs: int = 200,
) -> Manifest:
    """Export the best weights of a run; the card is the run's own unless another is given.

    Raises:
        NotEqual: torch and the serving engine disagree.
    """
    kept = checkpoint.read(run)
    card = card or kept.recipe["card"]
    task, vocabulary = kept.recipe["task"], Vocabulary(kept.vocabulary)
    said = checkpoint.SAID[task](kept.recipe, vocabulary, data) if task in checkpoint.SAID else None
    return build(
        bundle,
        checkpoint.PLANS[task](kept, said, "request" if "fp16" in precisions else "row"),
        kept.vocabulary,
        card,
        checkpoint.SAMPLES[task](kept.recipe, vocabulary, data, inputs),
        precisions=list(precisions),
        command=f"make bundle MODEL={card['name']} DATA=DIR",
        trained=trained(run),
    )


def trained(run: Path) -> str:
    """What the weights cost: updates and minutes of each run that led to them, the first one first."""
    legs = []
    while (run / "best.pt").exists():
        kept = checkpoint.read(run)
        how = f"threads: {kept.recipe['train'].get('threads', 1)}"
        how += ", bf16" if kept.recipe["train"].get("precision") == "bf16" else ""
        how += f", the mean of {soup.told(kept.recipe)}" if "mean" in kept.recipe else ""
        if kept.figures["step"]:  # weights that came back out of a bundle have none; its card tells of them
            legs.append(f"{kept.figures['step']:g} updates in {kept.figures['minutes']:g} min ({how})")
        run /= "start"
    return ", then ".join(reversed(legs))


def main(arguments: list[str]) -> int:
    """Export a run; 1 where parity refuses the bundle."""
    parser = argparse.ArgumentParser(
        prog="python -m export", description="Turn a training run into a bundle that has passed parity."
    )
    parser.add_argument("run", type=Path, help="the folder given to `python -m models.train --out`")
    parser.add_argument("bundle", type=Path, help="the bundle's folder, such as zoo/en-de-bahdanau")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets")
    parser.add_argument("--recipe", type=Path, help="take the card from this recipe instead of the run's")
    parser.add_argument("--precisions", default="int8", help="comma-separated: int8 (CPU), fp16 (GPU), fp32")
    parser.add_argument("--inputs", type=int, default=200, help="real inputs for calibration and parity")
    given = parser.parse_args(arguments)
    card = read(given.recipe)["card"] if given.recipe else None
    try:
        manifest = ship(given.run, given.bundle, given.data, card, given.precisions.split(","), given.inputs)
    except NotEqual as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 1
    print(json.dumps(manifest.made_with, indent=1))
    return 0
