"""Scores measured through the serving engine on a finished bundle: python -m export score BUNDLE --data DIR.

Knows nothing of torch nets: the bundle is all there is.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bundle.manifest import Bundle, Score
from export.forced import forced_difference
from export.package import add_scores
from export.samples import Inputs, pictures, source
from models.data import Pair, aligned, tabbed
from models.metrics import caption_scores, translation_scores
from models.tasks.captioning import split
from service.engine.catalog import NEWCOMERS
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options

TRANSLATION_SETS = (
    "multi30k/test_2016_flickr",
    "multi30k/test_2017_flickr",
    "multi30k/test_2017_mscoco",
    "wmt-newstest-dev/newstest2013",
)
TATOEBA = {"de": "tatoeba/deu-eng.tsv.xz", "fr": "tatoeba/fra-eng.tsv.xz", "es": "tatoeba/spa-eng.tsv.xz"}
MAPS = 200  # inputs whose maps are held against a forced decode
FORCED = f"largest difference to the map of a forced decode, {MAPS} inputs"
FLICKR8K = "flickr8k test"
HELD_BACK = 2000  # sentences of Tatoeba's held-back part that are scored


class Wanted(NamedTuple):
    """Which test sets are scored, and of which sentences."""

    only: str = ""  # how the names of the sets begin
    without: frozenset[int] = frozenset()  # checksums of English sentences of Tatoeba that a net has seen after all


EVERY = Wanted()


def say(session: Session, bundle: Bundle, inputs: list[Inputs], beam: int, penalty: float) -> list[str]:
    """The best answer to each input, as text."""
    limit = bundle.manifest.limits.target
    options = Options(beam, length_penalty=penalty, max_length=limit, attention=False)
    jobs = [Job(str(i), bundle.manifest.name, one, options) for i, one in enumerate(inputs)]
    newcomers = NEWCOMERS[bundle.manifest.input]
    return [bundle.text.text(done.hypotheses[0].ids) for done in answers(session, jobs, newcomers=newcomers)]


def searched(beam: int, penalty: float) -> str:
    """How a figure says what it was searched with."""
    return f"beam {beam}, length penalty {penalty:g}"


def translate(
    bundle: Bundle, session: Session, data: Path, beam: int, penalty: float, wanted: Wanted = EVERY
) -> dict[str, dict[str, float]]:
    """Scores by test set, metric by metric; a set's name says the pair where the bundle has several.

    Maps are held against each other when all sets are wanted.
    """
    manifest = bundle.manifest
    out: dict[str, dict[str, float]] = {}
    for pair in manifest.pairs:
        before, several = bundle.tag(pair), len(manifest.pairs) > 1
        for name, lines in test_sets(data, pair.source, pair.target, wanted).items():
            started = time.monotonic()
            inputs = [source(bundle.text, line.source, before) for line in lines]
            texts = say(session, bundle, inputs, beam, penalty)
            seconds = time.monotonic() - started
            told = f"{name} {pair}" if several else name
            out[told] = translation_scores(texts, [line.target for line in lines], pair.target)
            if manifest.attention and not wanted.only and not out.get("maps"):
                limit = manifest.limits.target
                out["maps"] = {FORCED: forced_difference(session, inputs[:MAPS], beam, limit)}
            print(f"{told}: {out[told]} ({len(lines) / seconds:.0f} sentences/s)")
    return out


def test_sets(data: Path, one: str, other: str, wanted: Wanted) -> dict[str, list[Pair]]:
    """The test sets that there are for a pair of languages, by name."""
    folder = data / "translation"
    there = [name for name in TRANSLATION_SETS if all((folder / f"{name}.{code}.xz").exists() for code in (one, other))]
    sets = {name: aligned(folder / name, one, other) for name in there}
    foreign = other if one == "en" else one
    path = folder / TATOEBA.get(foreign, "none")
    if "en" in (one, other) and path.exists():
        english = 0 if one == "en" else 1
        held = tabbed(path, english_is_source=one == "en", part="test")
        unseen = [pair for pair in held if zlib.crc32(pair[english].encode()) not in wanted.without]
        sets["tatoeba held back"] = unseen[:HELD_BACK]
    return {name: pairs for name, pairs in sets.items() if name.startswith(wanted.only)}


def caption(
    bundle: Bundle, session: Session, data: Path, beam: int, penalty: float, wanted: Wanted = EVERY
) -> dict[str, dict[str, float]]:
    """Scores on Flickr8k's official test split, five references; none if its name is not wanted."""
    if not FLICKR8K.startswith(wanted.only):
        return {}
    folder = data / "captioning" / "flickr8k"
    names, references = split(folder, "test")
    started = time.monotonic()
    inputs = pictures(folder / "images.tar", names)
    texts = say(session, bundle, inputs, beam, penalty)
    print(f"{len(names) / (time.monotonic() - started):.1f} pictures/s, decoding and encoding included")
    difference = forced_difference(session, inputs[:MAPS], beam, bundle.manifest.limits.target)
    return {FLICKR8K: caption_scores(texts, references), "maps": {FORCED: difference}}


Scorer = Callable[[Bundle, Session, Path, int, float, Wanted], dict[str, dict[str, float]]]
SCORERS: dict[str, Scorer] = {"translate": translate, "caption": caption}


def main(arguments: list[str]) -> int:
    """Print every score and, with --write, put them on the bundle's card."""
    parser = argparse.ArgumentParser(prog="python -m export score", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--beam", type=int, help="default: the manifest's")
    parser.add_argument("--length-penalty", type=float, help="default: the manifest's")
    parser.add_argument("--only", default="", help="the test sets whose names begin so, such as multi30k")
    parser.add_argument("--without", type=Path, help="checksums (crc32, one a line) of English sentences to leave out")
    parser.add_argument("--write", action="store_true", help="write them into the manifest and the card")
    given = parser.parse_args(arguments)
    bundle = Bundle(given.bundle)
    search = bundle.manifest.search
    beam = given.beam or search.beam_size
    penalty = search.length_penalty if given.length_penalty is None else given.length_penalty
    session = Session(bundle, precision=given.precision)
    seen = frozenset(map(int, given.without.read_text().split())) if given.without else frozenset[int]()
    wanted = Wanted(given.only, seen)
    found = SCORERS[bundle.manifest.task](bundle, session, given.data, beam, penalty, wanted)
    print(json.dumps({"bundle": bundle.manifest.name, "precision": given.precision, "beam": beam, "scores": found}))
    if given.write:
        more = f" --only {given.only}" if given.only else ""
        more += f" --without {given.without}" if given.without else ""
        command = f"python -m export score zoo/{bundle.manifest.name} --data DIR{more}"
        scores = [
            Score(
                metric=metric.split(" [")[0],
                signature=metric.partition("[")[2].rstrip("]"),
                value=value,
                data=f"{name}, {given.precision}, {searched(beam, penalty)}",
                command=command,
            )
            for name, by_metric in found.items()
            for metric, value in by_metric.items()
        ]
        add_scores(given.bundle, bundle.manifest, scores)
    return 0
