"""A teacher's translations for a student: python -m export distil --recipe R --data DIR --out RUN.

Sequence-level distillation (Kim and Rush 2016), through the engine that serves. Where a source has a human translation,
the teacher's hypothesis closest to it is taken (their §3.3, "interpolation"); captions without one get the best
hypothesis, or of several teachers' the one that the others agree with most (Kumar and Byrne 2004: least Bayes risk).
Knows nothing of nets. Does nothing for a recipe without a `distil` part, or whose text is there. The part:

    "teacher": "zoo/en-de-bahdanau", or a list of bundles (otherwise what the recipe's `first` left in RUN/start)
    "file": "distilled.tsv.xz" (in the run's folder; a train entry {"distilled": "distilled.tsv.xz"} reads it;
        "../distilled-en-de/distilled.tsv.xz" is shared between runs)
    "aligned": ["translation/multi30k/train"], "captions": "captioning/flickr8k" (its training split),
    "without": ["translation/multi30k/images.val.txt.xz", …] (lists of pictures whose captions are left out: test sets)
"""

from __future__ import annotations

import argparse
import lzma
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacremoses import MosesDetokenizer

from bundle.manifest import Bundle
from export.plausible import invents, plausible
from export.samples import source
from export.ship import ship
from models.data import Pair, aligned, lines
from models.recipe import read
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options

SENTENCE_BLEU = BLEU(effective_order=True)


def sources(part: dict[str, Any], data: Path, source_language: str, target_language: str) -> list[Pair]:
    """Pairs to translate; a caption's target is empty."""
    pairs = [pair for prefix in part["aligned"] for pair in aligned(data / prefix, source_language, target_language)]
    if "captions" in part:
        without = {_number(name) for path in part["without"] for name in lines(data / path)}
        known = {pair.source for pair in pairs}
        pairs += [Pair(text, "") for text in captions(data / part["captions"], without) if text not in known]
    return pairs


def captions(folder: Path, without: set[str]) -> Iterable[str]:
    """Captions of Flickr8k's training split as plain text; pictures are named by their number on Flickr.

    Its pictures are also Flickr30k's, from which Multi30k was made: those in its test sets must be left out.
    """
    names = set((folder / "Flickr_8k.trainImages.txt").read_text().split())
    detokenise = MosesDetokenizer("en").detokenize
    for line in (folder / "Flickr8k.token.txt").read_text("utf-8").splitlines():
        key, caption = line.split("\t")
        picture = key.rsplit("#", 1)[0]
        if picture in names and _number(picture) not in without:
            text = detokenise(caption.split())
            yield text[:1].upper() + text[1:].rstrip(" .") + "."


def _number(picture: str) -> str:
    """What Flickr calls a picture: 1000268201 of 1000268201_693b08cb0e.jpg."""
    return re.split("[_.]", picture, maxsplit=1)[0]


def chosen(texts: Sequence[str], reference: str) -> str:
    """The text closest to the reference, or the first where there is none."""
    if not reference:
        return texts[0]
    return max(texts, key=lambda text: SENTENCE_BLEU.sentence_score(text, [reference]).score)


def agreed(texts: Sequence[str]) -> str:
    """The text that is closest to all of them on average; one that was said twice counts twice."""
    said = Counter(texts)
    return max(
        said,
        key=lambda text: sum(
            times * SENTENCE_BLEU.sentence_score(text, [other]).score
            for other, times in (said - Counter([text])).items()
        ),
    )


def hypotheses(session: Session, bundle: Bundle, sources: Sequence[str], beam: int) -> list[list[str]]:
    """All that a teacher's search finds for each source, the best first; nothing for one that is too long for it."""
    penalty, limit = bundle.manifest.search.length_penalty, bundle.manifest.limits.target
    options = Options(beam, beam, penalty, limit, attention=False)
    jobs = [Job(str(i), "", source(bundle.text, text), options) for i, text in enumerate(sources)]
    fit = [i for i, one in enumerate(jobs) if len(one.inputs["source"]) <= bundle.manifest.limits.source]
    found: list[list[str]] = [[] for _ in sources]
    for i, end in zip(fit, answers(session, [jobs[i] for i in fit], rows=64 * beam), strict=True):
        found[i] = [bundle.text.text(one.ids) for one in end.hypotheses]
    return found


def distilled(teachers: Sequence[tuple[Session, Bundle]], pairs: Sequence[Pair], beam: int) -> list[Pair]:
    """Each source with the teachers' translation of it, where there is one: no loop, no invention, of like length."""
    found = [hypotheses(session, bundle, [pair.source for pair in pairs], beam) for session, bundle in teachers]
    made = []
    for pair, *lists in zip(pairs, *found, strict=True):
        texts = [text for some in lists for text in some if fit(Pair(pair.source, text))]
        if texts:
            best = agreed(texts) if len(teachers) > 1 and not pair.target else chosen(texts, pair.target)
            made.append(Pair(pair.source, best))
    return made


def fit(pair: Pair) -> bool:
    """Whether a translation may be learned from."""
    return plausible(pair) and not invents(pair)


def teachers(part: dict[str, Any], card: dict[str, Any], data: Path, out: Path) -> list[Bundle]:
    """The bundles a recipe names, or what its first run learned, exported to OUT/teacher."""
    if "teacher" in part:
        named = part["teacher"] if isinstance(part["teacher"], list) else [part["teacher"]]
        return [Bundle(Path(name)) for name in named]
    if not (out / "teacher" / "manifest.json").exists():
        ship(out / "start", out / "teacher", data, card)
    return [Bundle(out / "teacher")]


def write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """A row a line, tabs between its texts; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    with lzma.open(unfinished, "wt", encoding="utf-8") as file:
        file.writelines("\t".join(row) + "\n" for row in rows)
    unfinished.replace(path)


def main(arguments: list[str]) -> int:
    """Write the text that a recipe's student is to learn from."""
    parser = argparse.ArgumentParser(prog="python -m export distil", description="Let a teacher write training text.")
    parser.add_argument("--recipe", type=Path, required=True, help="the student's")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the student's run folder")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--precision", default="int8")
    given = parser.parse_args(arguments)
    recipe = read(given.recipe)
    part = recipe.get("distil")
    if part is None or (given.out / part["file"]).exists():
        return 0
    bundles = teachers(part, recipe["card"], given.data, given.out)
    pairs = sources(part, given.data, recipe["data"]["source"], recipe["data"]["target"])
    print(f"{len(pairs)} sources, {sum(not pair.target for pair in pairs)} of them captions without a translation")
    sessions = [(Session(bundle, precision=given.precision), bundle) for bundle in bundles]
    write(given.out / part["file"], distilled(sessions, pairs, given.beam))
    return 0
