"""python -m export RUN BUNDLE --data DIR | toy NAME FOLDER | tune, distil, align, trust, confidence, lengths or score …

Knows nothing of how any of it is done.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from bundle.text import Vocabulary
from export import align, checkpoint, confidence, distil, lengths, score, trust, tune
from export.build import build
from export.parity import NotEqual
from export.toy import TOYS, toy
from models.recipe import read
from service.engine.session import share_threads


def main(arguments: list[str]) -> int:
    """Run one of them; 1 where parity refuses the bundle."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    share_threads(os.cpu_count() or 1)
    first = arguments[0] if arguments else ""
    if first == "align":
        return align.main(arguments[1:])
    if first == "toy":
        return _toy(arguments[1:])
    if first == "score":
        return score.main(arguments[1:])
    if first == "lengths":
        return lengths.main(arguments[1:])
    if first == "distil":
        return distil.main(arguments[1:])
    if first == "trust":
        return trust.main(arguments[1:])
    if first == "confidence":
        return confidence.main(arguments[1:])
    if first == "tune":
        return tune.main(arguments[1:])
    return _export(arguments)


def _toy(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m export toy", description="Write a tiny seeded bundle.")
    parser.add_argument("name", choices=sorted(TOYS))
    parser.add_argument("folder", type=Path, help="the bundle is written to FOLDER/NAME")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    toy(given.folder, given.name, seed=given.seed)
    return 0


def _export(arguments: list[str]) -> int:
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
    kept = checkpoint.read(given.run)
    card = read(given.recipe)["card"] if given.recipe else kept.recipe["card"]
    task = kept.recipe["task"]
    inputs = checkpoint.SAMPLES[task](kept.recipe, Vocabulary(kept.vocabulary), given.data, given.inputs)
    said = (
        checkpoint.SAID[task](kept.recipe, Vocabulary(kept.vocabulary), given.data) if task in checkpoint.SAID else None
    )
    try:
        manifest = build(
            given.bundle,
            checkpoint.PLANS[task](kept, said),
            kept.vocabulary,
            card,
            inputs,
            precisions=given.precisions.split(","),
            command=f"make bundle MODEL={card['name']} DATA=DIR",
        )
    except NotEqual as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 1
    print(json.dumps(manifest.made_with, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
