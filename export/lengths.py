"""BLEU by the length of the source, for several bundles: python -m export lengths BUNDLE … --data DIR [--plot FILE].

The figure of Bahdanau et al. 2015 (Fig. 2) and of Luong et al. 2015 (Fig. 6), redone. Knows nothing of torch nets: the
bundles and the engine are all there is. Captions are of one length nearly all; so that length varies, two and three of
them in a row are also one text each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bundle.manifest import Bundle
from export.samples import source
from export.score import say
from models.data import Pair, aligned
from models.metrics import bleu
from service.engine.session import Session

SETS = ("test_2016_flickr", "test_2017_flickr", "test_2017_mscoco")
EDGES = (8, 10, 12, 15, 19, 24, 30, 38, 60)  # words of the source: a bin ends with each
FEWEST = 40  # texts; a bin of fewer is left out
Curves = Mapping[str, Sequence[tuple[float, float]]]  # bundle to (mean words, BLEU) of each bin


def joined(pairs: Sequence[Pair], together: int) -> list[Pair]:
    """Every so many neighbours as one text."""
    groups = [pairs[i : i + together] for i in range(0, len(pairs) - together + 1, together)]
    return [Pair(" ".join(a for a, _ in group), " ".join(b for _, b in group)) for group in groups]


def texts(data: Path, languages: tuple[str, str]) -> list[Pair]:
    """The test sets of Multi30k: each sentence, each two, and each three, up to the last edge."""
    every = [pair for name in SETS for pair in aligned(data / "translation/multi30k" / name, *languages)]
    together = [pair for number in (1, 2, 3) for pair in joined(every, number)]
    return [pair for pair in together if len(pair.source.split()) <= EDGES[-1]]


def curve(said: Sequence[str], pairs: Sequence[Pair]) -> list[tuple[float, float]]:
    """Mean words of the sources and BLEU (cased, 13a) of each bin."""
    points = []
    for first, last in zip((0, *EDGES), EDGES, strict=False):
        inside = [i for i, pair in enumerate(pairs) if first < len(pair.source.split()) <= last]
        if len(inside) < FEWEST:
            continue
        mean = sum(len(pairs[i].source.split()) for i in inside) / len(inside)
        score = bleu([said[i] for i in inside], [[pairs[i].target for i in inside]], words=False)
        points.append((round(mean, 1), round(score, 2)))
    return points


def measure(folder: Path, data: Path, precision: str) -> list[tuple[float, float]]:
    """The curve of one bundle, searched as its card says."""
    bundle = Bundle(folder)
    told = bundle.manifest
    pairs = texts(data, (str(told.source), str(told.target)))
    inputs = [source(bundle.text, pair.source) for pair in pairs]
    session = Session(bundle, precision=precision)
    return curve(say(session, bundle, inputs, told.search.beam_size, told.search.length_penalty), pairs)


def draw(curves: Curves, path: Path) -> None:
    """The curves as a picture; its kind is that of the file's name."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams |= {"svg.hashsalt": "heed", "svg.fonttype": "none"}  # the same curves, the same file; words as words
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    for marker, (name, points) in zip("osD^v<>pPX*" * 3, curves.items(), strict=False):
        axes.plot(*zip(*points, strict=True), marker=marker, markersize=4, linewidth=1.4, label=name)
    axes.set(xlabel="words of the source (mean of a bin)", ylabel="BLEU", title="BLEU by length of the source")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, ncol=2)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def main(arguments: list[str]) -> int:
    """Print a line a bundle as it is measured, and all of it as JSON in the end."""
    parser = argparse.ArgumentParser(prog="python -m export lengths", description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--plot", type=Path, help="draw the curves here: .svg or .png")
    given = parser.parse_args(arguments)
    curves = {}
    for folder in given.bundles:
        curves[folder.name] = measure(folder, given.data, given.precision)
        print(folder.name, *(f"{words:g}: {score:g}" for words, score in curves[folder.name]), sep="  ")
    print(json.dumps({"precision": given.precision, "curves": curves}))
    if given.plot:
        draw(curves, given.plot)
    return 0
