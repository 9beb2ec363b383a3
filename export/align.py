"""Alignment error rate of a bundle's maps on sentences with exact gold: python -m export align BUNDLE [--write].

Knows nothing of torch nets: the bundle and the engine are all there is. The engine is made to say the grammar's own
translations (`models/grammar.py`), so that what is measured is where it looks, not what it would have said.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bundle.manifest import Bundle, Score
from bundle.text import EOS
from export.package import add_scores
from export.samples import source
from models.alignment import error_rate, links
from models.grammar import Aligned, Grammar
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options

SEED, SENTENCES = 2003, 500
LANGUAGES = ("en", "de")  # what the grammar speaks


def forced(session: Session, bundle: Bundle, pairs: Sequence[Aligned]) -> list[np.ndarray]:
    """The rows of each pair's own translation: (T, S), or (T, layers, heads, S) where there are several."""
    jobs = []
    for i, pair in enumerate(pairs):
        text, said = pair.texts()
        prefix = (*bundle.text.ids(said), EOS)
        options = Options(1, max_length=len(prefix), prefix=prefix, heads=len(bundle.manifest.attention) > 1)
        jobs.append(Job(str(i), bundle.manifest.name, source(bundle.text, text), options))
    found = [done.hypotheses[0].rows for done in answers(session, jobs)]
    return [rows for rows in found if rows is not None]


def measure(bundle: Bundle, session: Session, number: int = SENTENCES) -> dict[str, float]:
    """The error rate of what is shown by default and, where there are several, of each head and of each layer's mean.

    Raises:
        ValueError: the model has no attention, or speaks other languages than the grammar.
    """
    told = bundle.manifest
    if not told.attention or (told.source, told.target) != LANGUAGES:
        raise ValueError(f"{told.name} has no map between {' and '.join(LANGUAGES)}")
    pairs = list(Grammar(SEED).sentences(number))
    every, usual = forced(session, bundle, pairs), told.attention[0]
    if every[0].ndim == 2:
        return {"shown": rate(every, pairs, bundle)}
    layers, heads = every[0].shape[1:3]
    found = {}
    for layer in range(layers):
        means = [rows[:, layer].mean(1) for rows in every]
        found[f"layer {layer} mean"] = rate(means, pairs, bundle)
        for head in range(heads):
            found[f"layer {layer} head {head}"] = rate([rows[:, layer, head] for rows in every], pairs, bundle)
    name = "mean" if usual.default_head == "mean" else f"head {usual.default_head}"
    return {"shown": found[f"layer {usual.default_layer} {name}"], **found}


def rate(rows: Sequence[np.ndarray], pairs: Sequence[Aligned], bundle: Bundle) -> float:
    """The error rate of rows (T, S) of each pair, to four decimals."""
    found = ((links(one, pair, bundle.text), pair.links) for one, pair in zip(rows, pairs, strict=True))
    return round(error_rate(found), 4)


def main(arguments: list[str]) -> int:
    """Print the rates and, with --write, put that of what is shown on the bundle's card."""
    parser = argparse.ArgumentParser(prog="python -m export align", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    parser.add_argument("--write", action="store_true", help="write it into the manifest and the card")
    given = parser.parse_args(arguments)
    bundle = Bundle(given.bundle)
    found = measure(bundle, Session(bundle, precision=given.precision), given.sentences)
    print(json.dumps({"bundle": bundle.manifest.name, "precision": given.precision, "error": found}))
    if given.write:
        score = Score(
            metric="alignment error rate",
            value=found["shown"],
            data=f"synthetic grammar, {given.sentences} sentences, {given.precision}, forced",
            command=f"python -m export align zoo/{bundle.manifest.name}",
        )
        add_scores(given.bundle, bundle.manifest, [score])
    return 0
