"""Alignment error rate of a bundle's maps on sentences with exact gold: python -m export align BUNDLE [--write].

Knows nothing of torch nets: the bundle and the engine are all there is. The engine is made to say the grammar's own
translations (`models/grammar/`), so that what is measured is where it looks, not what it would have said.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bundle.manifest import Bundle, Pair, Score
from bundle.text import EOS
from export.package import add_scores
from export.samples import source
from models.alignment import error_rate, links
from models.grammar import Aligned, sentences, spoken
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options

SEED, SENTENCES = 2003, 500


def forced(session: Session, bundle: Bundle, pairs: Sequence[Aligned], before: Sequence[int] = ()) -> list[np.ndarray]:
    """The rows of each pair's own translation: (T, S), or (T, layers, heads, S) where there are several.

    before: what asks for a language, if anything must; the rows do not have it.
    """
    jobs = []
    for i, pair in enumerate(pairs):
        text, said = pair.texts()
        prefix = (*bundle.text.ids(said), EOS)
        options = Options(1, max_length=len(prefix), prefix=prefix, heads=len(bundle.manifest.attention) > 1)
        jobs.append(Job(str(i), bundle.manifest.name, source(bundle.text, text, before), options))
    found = [done.hypotheses[0].rows for done in answers(session, jobs)]
    return [rows[..., len(before) :] for rows in found if rows is not None]


def pairs_of(bundle: Bundle) -> list[Pair]:
    """The pairs of languages that a model maps and a grammar speaks.

    Raises:
        ValueError: there are none.
    """
    told = bundle.manifest
    found = [pair for pair in told.pairs if spoken(pair.source, pair.target)] if told.attention else []
    if not found:
        raise ValueError(f"{told.name} has no map between languages that a grammar speaks")
    return found


def measure(bundle: Bundle, session: Session, pair: Pair, number: int = SENTENCES) -> dict[str, float]:
    """The error rate of what is shown by default and, where there are several, of each head and each layer's mean."""
    told = bundle.manifest
    pairs = sentences(pair.source, pair.target, SEED, number)
    every, usual = forced(session, bundle, pairs, bundle.tag(pair)), told.attention[0]
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
    pairs, session, scores = pairs_of(bundle), Session(bundle, precision=given.precision), []
    for pair in pairs:
        found, languages = measure(bundle, session, pair, given.sentences), f"{pair.source}-{pair.target}"
        told = {"bundle": bundle.manifest.name, "languages": languages, "precision": given.precision, "error": found}
        print(json.dumps(told))
        which = f"{languages}, " if len(bundle.manifest.pairs) > 1 else ""
        scores.append(
            Score(
                metric="alignment error rate",
                value=found["shown"],
                data=f"synthetic grammar, {which}{given.sentences} sentences, {given.precision}, forced",
                command=f"python -m export align zoo/{bundle.manifest.name}",
            )
        )
    if given.write:
        add_scores(given.bundle, bundle.manifest, scores)
    return 0
