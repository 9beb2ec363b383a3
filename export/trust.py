"""Do maps decide words? Answers said again under other attention: python -m export trust BUNDLE --data DIR [--write].

Knows nothing of torch nets: the bundle and the very engine that serves are all there is. What is counted is what
Moradi et al. 2019 counted: words that stay the same though their attention was changed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bundle.manifest import Bundle, Score
from bundle.text import SILENT
from export.package import add_scores
from export.samples import Inputs, pictures, source
from export.score import EVERY, test_sets
from models.tasks.captioning import split
from service.engine.catalog import NEWCOMERS
from service.engine.offline import answers
from service.engine.review import MASKED, OTHER, PLAIN, UNIFORM
from service.engine.session import Session
from service.messages import Hypothesis, Job, Options

RUNS = 3
KINDS = ("function", "content")
FUNCTION = {  # closed-class words: articles, pronouns, prepositions, conjunctions, auxiliaries, particles
    "en": """a an the this that these those some any no each every all both either neither another other such
        i you he she it we they me him her us them my your his its our their who whom whose which what one ones
        in on at by for with from to of off into onto over under up down out about across through along around near
        behind between beside next against among during before after above below while as and or but nor so if when
        where than because though although not n't 's is are was were be been being am do does did have has had will
        would can could may might must shall should there here""",
    "de": """der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner dieser diese
        dieses diesen diesem jeder jede jedes jeden jedem alle allen beide beiden andere anderen anderer anderes
        ich du er sie es wir ihr mich dich ihn uns euch mir dir ihm ihnen sich mein meine dein deine sein seine
        seinen seinem seiner seines ihre ihren ihrem ihrer ihres unser unsere wer was welche welcher in im ins an am
        ans auf aufs aus bei beim mit nach von vom vor zu zum zur über unter durch für gegen ohne um bis entlang
        neben zwischen hinter während und oder aber sondern denn dass daß weil wenn als wie ob damit indem da wo
        nicht ist sind war waren bin bist wird werden wurde wurden worden hat haben habe hatte hatten kann können
        muss müssen soll will dort hier""",
    "fr": """le la l' les un une des du de d' au aux ce cet cette ces c' ça cela ceci je j' tu il elle on nous vous ils
        elles me m' te t' se s' moi toi lui eux leur leurs mon ma mes ton ta tes son sa ses notre nos votre vos qui que
        qu' quoi dont où quel quelle quels quelles à en dans par pour sur sous avec sans chez vers entre contre depuis
        pendant avant après devant derrière près et ou mais donc or ni car si quand comme lorsque lorsqu' puisque parce
        ne n' pas plus y est suis es sommes êtes sont était étaient être été a ai as avons avez ont avait avaient avoir
        eu sera seront fait va peut peux doit faut tout tous toute toutes aucun aucune chaque autre autres même""",
    "es": """el la los las un una unos unas lo al del de a en con por para sin sobre entre hacia hasta desde contra
        durante antes después detrás delante cerca yo tú él ella ello usted nosotros vosotros ellos ellas ustedes me te
        se le les nos os mí ti sí mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta esto estos estas ese
        esa eso esos esas aquel aquella que qué quien quién cual cuál donde dónde cuando cuándo como cómo y e o u pero
        ni si porque aunque pues no es soy eres somos son era eran ser sido está estoy están estaba estar ha he has
        hemos han había haber hay fue puede puedo debe tengo tiene todo toda todos todas ningún ninguna cada otro otra
        otros otras mismo misma ya muy más""",
}


class Word(NamedTuple):
    """A word of an answer, whether function or content, and whether each trial left it as it was."""

    kind: str
    mask: bool
    uniform: bool


def words(bundle: Bundle, said: Hypothesis, target: str) -> Iterator[Word]:
    """The words of an answer in a language; marks without letters are none. A word stays if all its pieces do."""
    text, pieces = bundle.text.spelled(said.ids)
    stays = said.extras["tried_first"] == said.extras["tried_first"][:, [PLAIN]]
    function = set(FUNCTION[target].split())
    groups: list[list[int]] = []
    for i, piece in enumerate(pieces):
        if piece.id not in SILENT and any(map(str.isalnum, piece.text)):
            if piece.opens or not groups:
                groups.append([])
            groups[-1].append(i)
    for group in groups:
        word = text[pieces[group[0]].start : pieces[group[-1]].end].lower()
        kind = KINDS[word not in function]
        yield Word(kind, *(bool(stays[group, variant].all()) for variant in (MASKED, UNIFORM)))


def tau(said: Hypothesis) -> np.ndarray:
    """For each step the sign of its pair: 1 where the strongest position mattered more than another one, −1 if less."""
    logprobs = said.extras["tried_logprobs"]
    effects = np.abs(logprobs[:, [MASKED, OTHER]] - logprobs[:, [PLAIN]])
    return np.sign(effects[:, 0] - effects[:, 1])


def measure(session: Session, bundle: Bundle, inputs: Sequence[Inputs], target: str) -> dict[str, float]:
    """Every figure by name: percentages of words that stay as they were, and Kendall's τ."""
    usual, limit = bundle.manifest.search, bundle.manifest.limits.target
    options = Options(usual.beam_size, length_penalty=usual.length_penalty, max_length=limit, trials=True)
    said = say(session, bundle, inputs, options)
    every = [word for one in said for word in words(bundle, one, target)]
    found: dict[str, float] = {}
    for trial in ("mask", "uniform"):
        under = "strongest position masked" if trial == "mask" else "uniform attention"
        for kind in KINDS:
            stays = [getattr(word, trial) for word in every if word.kind == kind]
            found[f"{kind} words unchanged, {under}, %"] = round(100 * float(np.mean(stays)), 2)
        found[f"words unchanged, {under}, %"] = round(100 * float(np.mean([getattr(w, trial) for w in every])), 2)
    found["Kendall's tau of weight and leave-one-out effect"] = round(
        float(np.concatenate([*map(tau, said)]).mean()), 4
    )
    counts = ", ".join(f"{sum(word.kind == kind for word in every)} {kind} words" for kind in KINDS)
    print(f"{len(said)} inputs, {counts}")
    return found


def say(session: Session, bundle: Bundle, inputs: Sequence[Inputs], options: Options) -> list[Hypothesis]:
    """The best answer to each input, all served together."""
    jobs = [Job(str(i), bundle.manifest.name, one, options) for i, one in enumerate(inputs)]
    return [one.hypotheses[0] for one in answers(session, jobs, newcomers=NEWCOMERS[bundle.manifest.input])]


def cost(session: Session, bundle: Bundle, inputs: Sequence[Inputs], beam: int) -> float:
    """CPU seconds with trials by CPU seconds without, at batch: the median of runs that take turns."""
    plain = Options(
        beam, length_penalty=bundle.manifest.search.length_penalty, max_length=bundle.manifest.limits.target
    )
    ratios = []
    for _ in range(RUNS):
        spent = []
        for options in (plain, replace(plain, trials=True)):
            began = time.process_time()
            say(session, bundle, inputs, options)
            spent.append(time.process_time() - began)
        ratios.append(spent[1] / spent[0])
    return statistics.median(ratios)


class Sample(NamedTuple):
    """Inputs by which one language of a model is measured, and what they are called."""

    name: str
    target: str
    inputs: list[Inputs]


def sentences(bundle: Bundle, data: Path, number: int) -> list[Sample]:
    """Of each pair source sentences of Multi30k's test set of 2016, or else of Tatoeba's held-back part."""
    found = []
    for pair in bundle.manifest.pairs:
        sets = test_sets(data, pair.source, pair.target, EVERY)
        name = next(name for name in SETS if name in sets)
        inputs = [source(bundle.text, line.source, bundle.tag(pair)) for line in sets[name][:number]]
        told = f"{name} {pair}" if len(bundle.manifest.pairs) > 1 else name
        found.append(Sample(told, pair.target, inputs))
    return found


SETS = ("multi30k/test_2016_flickr", "tatoeba held back")


def photographs(bundle: Bundle, data: Path, number: int) -> list[Sample]:
    """Pictures of Flickr8k's test split."""
    folder = data / "captioning" / "flickr8k"
    inputs = pictures(folder / "images.tar", split(folder, "test")[0][:number])
    return [Sample("flickr8k test", str(bundle.manifest.target), inputs)]


SAMPLES: dict[str, Callable[[Bundle, Path, int], list[Sample]]] = {
    "translate": sentences,
    "caption": photographs,
}


def main(arguments: list[str]) -> int:
    """Print every figure and, with --write, put them on the bundle's card."""
    parser = argparse.ArgumentParser(prog="python -m export trust", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--cost", type=int, default=0, help="also measure what trials cost, on so many inputs")
    parser.add_argument("--write", action="store_true", help="write them into the manifest and the card")
    given = parser.parse_args(arguments)
    bundle = Bundle(given.bundle)
    samples = SAMPLES[bundle.manifest.task](bundle, given.data, given.inputs)
    if strange := {sample.target for sample in samples} - set(FUNCTION):
        parser.error(f"function words are known of {', '.join(FUNCTION)} only, not of {', '.join(sorted(strange))}")
    session = Session(bundle, precision=given.precision)
    for sample in samples:
        found = measure(session, bundle, sample.inputs, sample.target)
        told = {"bundle": bundle.manifest.name, "data": sample.name, "inputs": len(sample.inputs), "trust": found}
        print(json.dumps(told, indent=1))
        if given.write:
            write(given.bundle, sample, found, given.precision)
    for beam in (1, bundle.manifest.search.beam_size) if given.cost else ():
        ratio = cost(session, bundle, samples[0].inputs[: given.cost], beam)
        print(
            f"trials cost {ratio:.2f} times the CPU time of the plain request, beam {beam}, {given.cost} inputs at once"
        )
    return 0


def write(path: Path, sample: Sample, found: dict[str, float], precision: str) -> None:
    """Put the figures of a sample into the manifest and on the card."""
    manifest, number = Bundle(path).manifest, len(sample.inputs)
    command = f"python -m export trust zoo/{manifest.name} --data DIR --inputs {number}"
    data = f"maps, {sample.name}, {number} inputs, {precision}"
    scores = [Score(metric=metric, value=value, data=data, command=command) for metric, value in found.items()]
    add_scores(path, manifest, scores)
