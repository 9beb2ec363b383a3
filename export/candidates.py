"""All that a search finds for sources with a reference: python -m export candidates --recipe R --data DIR --out RUN.

What minimum risk training (`models/risk.py`) chooses among, through the engine that serves. Knows nothing of nets or of
what an answer is worth. Does nothing for a recipe without a `candidates` part, or whose file is there. The part:

    "teacher": "zoo/en-de-transformer", or a list of bundles (otherwise what the recipe's `first` left in RUN/start)
    "file": "candidates.tsv.xz" (in the run's folder; "risk": {"file": …} in `data` reads it)
    "aligned": ["translation/multi30k/train"], "beam": 10

A line holds a source, its reference and the hypotheses, the first teacher's before the second's, the best first.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bundle.manifest import Bundle
from export.distil import hypotheses, teachers, write
from models.data import Pair, aligned
from models.recipe import read
from service.engine.session import Session


def found(searches: Sequence[tuple[Session, Bundle]], pairs: Sequence[Pair], beam: int) -> list[list[str]]:
    """The different hypotheses of each source, of all bundles."""
    sources = [pair.source for pair in pairs]
    lists = [hypotheses(session, bundle, sources, beam) for session, bundle in searches]
    return [
        list(dict.fromkeys(text for some in of_one for text in some if text and "\t" not in text))
        for of_one in zip(*lists, strict=True)
    ]


def main(arguments: list[str]) -> int:
    """Write the candidates that a recipe's student is to choose among."""
    parser = argparse.ArgumentParser(prog="python -m export candidates", description="Let a search write candidates.")
    parser.add_argument("--recipe", type=Path, required=True, help="the student's")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the student's run folder")
    parser.add_argument("--precision", default="int8")
    given = parser.parse_args(arguments)
    recipe = read(given.recipe)
    part = recipe.get("candidates")
    if part is None or (given.out / part["file"]).exists():
        return 0
    languages = recipe["data"]["source"], recipe["data"]["target"]
    pairs = [pair for prefix in part["aligned"] for pair in aligned(given.data / prefix, *languages)]
    bundles = teachers(part, recipe["card"], given.data, given.out)
    searches = [(Session(bundle, precision=given.precision), bundle) for bundle in bundles]
    candidates = found(searches, pairs, part.get("beam", 10))
    write(given.out / part["file"], [[*pair, *texts] for pair, texts in zip(pairs, candidates, strict=True)])
    return 0
