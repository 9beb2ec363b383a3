"""Which beam, which length penalty? Tried on development data in the engine: python -m export tune BUNDLE --data DIR.

Knows nothing of test sets: `export/score.py` measures those, once, with what was chosen here.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bundle.manifest import Bundle, Manifest, SearchDefaults
from bundle.manifest import Pair as Way
from export.package import seal
from export.samples import Inputs, pictures, source
from export.score import TATOEBA, say, searched
from models.data import Pair, aligned, tabbed
from models.metrics import bleu
from models.tasks.captioning import split
from service.engine.session import Encoded, Session

BEAMS = (1, 3, 5, 8)
PENALTIES = (0.4, 0.6, 0.8, 1.0)  # with more, what a net does not know comes out long and wrong (docs/log.md)
CAPTIONS = "multi30k/val"  # what a model of one pair is tuned on; one of several pairs, on everyday sentences of each
EVERYDAY = 500  # of them a pair: of Tatoeba's part for choosing


class EncodedOnce(Session):
    """A session that encodes each input once, alone, and remembers it: most of the time of tuning a captioner."""

    def __init__(self, bundle: Bundle, *, precision: str) -> None:
        super().__init__(bundle, precision=precision)
        self.seen: dict[int, Encoded] = {}

    def encode(self, inputs: Sequence[Mapping[str, np.ndarray]]) -> Encoded:
        """As `Session.encode`, for pictures, which are all of one length."""
        if self.manifest.input == "text":
            return super().encode(inputs)
        for one in inputs:
            if id(one["pixels"]) not in self.seen:
                self.seen[id(one["pixels"])] = super().encode([one])
        every = [self.seen[id(one["pixels"])] for one in inputs]
        memory = {name: np.concatenate([one.memory[name] for one in every]) for name in self.manifest.memory}
        states = [np.concatenate(parts) for parts in zip(*(one.states for one in every), strict=True)]
        return Encoded(memory, states, np.concatenate([one.lengths for one in every]))


def development(bundle: Bundle, data: Path) -> list[tuple[list[Inputs], list[list[str]]]]:
    """The development sets: inputs and references (one list a reference) of each."""
    manifest = bundle.manifest
    if manifest.input == "text":
        every = [(way, parallel(data, way, several=len(manifest.pairs) > 1)) for way in manifest.pairs]
        return [
            ([source(bundle.text, one.source, bundle.tag(way)) for one in pairs], [[one.target for one in pairs]])
            for way, pairs in every
            if pairs
        ]
    folder = data / "captioning" / "flickr8k"
    names, captions = split(folder, "dev")
    return [(pictures(folder / "images.tar", names), [list(column) for column in zip(*captions, strict=True)])]


def parallel(data: Path, way: Way, *, several: bool) -> list[Pair]:
    """The sentences by which a pair's search is chosen; none for one of several without English."""
    if not several:
        return aligned(data / "translation" / CAPTIONS, way.source, way.target)
    foreign = ({way.source, way.target} - {"en"}).pop()
    if "en" not in (way.source, way.target):
        return []
    return tabbed(data / "translation" / TATOEBA[foreign], english_is_source=way.source == "en", part="dev")[:EVERYDAY]


def main(arguments: list[str]) -> int:
    """Print BLEU (the mean over the pairs) for every choice and, with --write, put the best into the manifest."""
    parser = argparse.ArgumentParser(prog="python -m export tune", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--beams", type=int, nargs="*", default=BEAMS)
    parser.add_argument("--penalties", type=float, nargs="*", default=PENALTIES)
    parser.add_argument("--write", action="store_true", help="make the best the bundle's default")
    given = parser.parse_args(arguments)
    bundle = Bundle(given.bundle)
    session = EncodedOnce(bundle, precision=given.precision)
    sets = development(bundle, given.data)
    words = bundle.manifest.task == "caption"
    found = {}
    for beam in given.beams:
        for penalty in given.penalties:
            each = [bleu(say(session, bundle, inputs, beam, penalty), refs, words=words) for inputs, refs in sets]
            found[beam, penalty] = sum(each) / len(each)
            print(f"beam {beam}, length penalty {penalty}: BLEU {found[beam, penalty]:.2f}", flush=True)
    beam, penalty = max(found, key=lambda choice: found[choice])
    print(f"best: beam {beam}, length penalty {penalty}")
    if given.write:
        seal(given.bundle, searching(bundle.manifest, SearchDefaults(beam_size=beam, length_penalty=penalty)))
    return 0


def searching(manifest: Manifest, search: SearchDefaults) -> Manifest:
    """The manifest with another search, without the scores of the usual one until now; maps hardly depend on it."""
    before = manifest.search
    if before == search:
        return manifest
    old = searched(before.beam_size, before.length_penalty)
    kept = tuple(s for s in manifest.scores if not s.data.endswith(old) or s.data.startswith("maps,"))
    return manifest.model_copy(update={"search": search, "scores": kept})
