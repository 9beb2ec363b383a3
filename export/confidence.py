"""Does confidence go with quality? Rank correlation with sentence chrF: python -m export confidence BUNDLE --data DIR.

Knows nothing of torch nets: the bundle and the very engine that serves are all there is. Fomicheva et al. 2020 ask the
same of the mean log-probability of a translation (TP), against people's judgements; chrF is what we have instead.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bundle.manifest import Bundle
from export.samples import source
from export.trust import say
from models.data import aligned
from service.engine.session import Session
from service.messages import Options
from service.telemetry.confidence import confidence

SETS = ("multi30k/test_2016_flickr", "wmt-newstest-dev/newstest2013")  # what it was trained for, and what it was not


def ranked(values: Sequence[float]) -> np.ndarray:
    """The rank of each value; equal ones share the mean of theirs."""
    _, place, count = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    middle: np.ndarray = (last - (count - 1) / 2)[place]
    return middle


def correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's ρ: 1 where both have the same order, 0 where neither says anything of the other."""
    return round(float(np.corrcoef(ranked(one), ranked(other))[0, 1]), 3)


def measure(session: Session, bundle: Bundle, texts: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """ρ of confidence and sentence chrF, beside that of length alone; mean chrF of the least and most sure quarters."""
    import sacrebleu

    usual, limit = bundle.manifest.search, bundle.manifest.limits.target
    options = Options(usual.beam_size, length_penalty=usual.length_penalty, max_length=limit, attention=False)
    said = say(session, bundle, [source(bundle.text, text) for text in texts], options)
    metric = sacrebleu.CHRF()
    answers = [bundle.text.text(one.ids) for one in said]
    chrf = [metric.sentence_score(one, [meant]).score for one, meant in zip(answers, references, strict=True)]
    sure = [confidence(one.logprobs.tolist()) for one in said]
    order, quarter = np.argsort(sure), len(sure) // 4
    return {
        "Spearman, confidence and chrF": correlation(sure, chrf),
        "Spearman, fewer pieces and chrF": correlation([-len(one.ids) for one in said], chrf),
        "chrF, least sure quarter": round(float(np.mean(np.array(chrf)[order[:quarter]])), 1),
        "chrF, surest quarter": round(float(np.mean(np.array(chrf)[order[-quarter:]])), 1),
        "mean confidence": round(float(np.mean(sure)), 3),
    }


def main(arguments: list[str]) -> int:
    """Print the figures of each test set, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m export confidence", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=SETS, metavar="SET", help="SET.LANGUAGE.xz in DIR/translation")
    parser.add_argument("--inputs", type=int, default=1000, help="sentences of each, at most")
    parser.add_argument("--precision", default="int8")
    given = parser.parse_args(arguments)
    bundle = Bundle(given.bundle)
    session, told = Session(bundle, precision=given.precision), bundle.manifest
    for name in given.sets:
        pairs = aligned(given.data / "translation" / name, str(told.source), str(told.target))
        fits = [pair for pair in pairs if len(bundle.text.ids(pair.source)) < told.limits.source][: given.inputs]
        found = measure(session, bundle, [pair.source for pair in fits], [pair.target for pair in fits])
        print(json.dumps({"bundle": bundle.id, "data": name, "inputs": len(fits), **found}, indent=1))
    return 0
