"""Sources made up for real targets: python -m export back --recipe R --data DIR --out RUN.

Back-translation (Sennrich et al. 2016, "Improving Neural Machine Translation Models with Monolingual Data", §3) by a
bundle of the other direction, greedily, through the engine that serves. Where the text is that of a corpus the student
has anyway, it reads each target with a second source (Nguyen et al. 2020, "Data Diversification"). Knows nothing of
nets. Does nothing for a recipe without a `back` part, or for files that are there. The part:

    "teacher": "zoo/en-x-bahdanau",
    "texts": [{"file": "../back/de.tsv.xz", "source": "de", "target": "en", "tabbed": ["translation/tatoeba/….tsv.xz"],
        "without": […]}] (sources and targets are the student's; sentences of the files in `without` are left out)

A train entry {"distilled": "../back/de.tsv.xz", "source": "de", "target": "en"} reads such a file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bundle.manifest import Bundle
from bundle.manifest import Pair as Way
from export.distil import write
from export.plausible import plausible
from export.samples import source
from models.data import LONGEST, Pair, part_of, tabbed
from models.recipe import read
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options

AT_ONCE = 4096  # sentences between two ticks of the progress bar


def texts(entry: dict[str, Any], data: Path) -> list[str]:
    """The different targets of an entry's corpora, the shortest first, none that is held back for tests."""
    found = _targets(entry["tabbed"], entry["target"], data) - _targets(entry.get("without", ()), entry["target"], data)
    return sorted(found, key=lambda text: (len(text), text))


def _targets(paths: Iterable[str], language: str, data: Path) -> set[str]:
    english = language == "en"
    return {pair.target for path in paths for pair in tabbed(data / path, english_is_source=not english)}


def made_up(session: Session, bundle: Bundle, entry: dict[str, Any], real: Sequence[str]) -> list[Pair]:
    """Each real target with the source that the teacher makes of it, where the two are of like length.

    A made-up English sentence that happens to be one of the test set is left out: no text may hold one.
    """
    way = way_back(bundle, entry)
    options = Options(1, 1, bundle.manifest.search.length_penalty, LONGEST, attention=False)
    pairs: list[Pair] = []
    with tqdm(total=len(real), desc=entry["file"], unit="sentence", mininterval=10) as bar:
        for start in range(0, len(real), AT_ONCE):
            some = real[start : start + AT_ONCE]
            inputs = {text: source(bundle.text, text, bundle.tag(way)) for text in some}
            fit = [text for text in some if len(inputs[text]["source"]) <= LONGEST]
            ends = answers(session, [Job(text, "", inputs[text], options) for text in fit], rows=256)
            pairs += [Pair(bundle.text.text(end.hypotheses[0].ids), text) for end, text in zip(ends, fit, strict=True)]
            bar.update(len(some))
    tested = entry["source"] == "en"
    return [pair for pair in pairs if plausible(pair) and not (tested and part_of(pair.source) != "train")]


def way_back(bundle: Bundle, entry: dict[str, Any]) -> Way:
    """What the teacher translates for this entry.

    Raises:
        ValueError: it does not translate from the student's target to its source.
    """
    for way in bundle.manifest.pairs:
        if (way.source, way.target) == (entry["target"], entry["source"]):
            return way
    raise ValueError(f"{bundle.manifest.name} does not translate from {entry['target']} to {entry['source']}")


def main(arguments: list[str]) -> int:
    """Write the texts of a recipe's `back` part that are not there yet."""
    parser = argparse.ArgumentParser(prog="python -m export back", description="Make up sources for real targets.")
    parser.add_argument("--recipe", type=Path, required=True, help="the student's")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the student's run folder")
    parser.add_argument("--precision", default="int8")
    given = parser.parse_args(arguments)
    part = read(given.recipe).get("back", {"texts": []})
    missing = [entry for entry in part["texts"] if not (given.out / entry["file"]).exists()]
    if missing:
        bundle = Bundle(Path(part["teacher"]))
        session = Session(bundle, precision=given.precision)
        for entry in missing:
            pairs = made_up(session, bundle, entry, texts(entry, given.data))
            write(given.out / entry["file"], pairs)
    return 0
