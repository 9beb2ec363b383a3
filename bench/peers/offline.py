"""Engine against engine, all inputs at once: CTranslate2 and eager PyTorch beside ours.

Knows nothing of how an engine works: what runs is in `inside`, and how turns are taken in `contest`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from bench.http import exported
from bench.peers.contest import Entry, Result, Setting, agreement, contest
from bench.peers.environments import ROOT, python_of
from bench.peers.jobs import texts_for, write_pictures, write_texts
from bundle.manifest import Bundle

INSIDE = "bench.peers.inside"
EXAMPLES, TOKENS = (8, 16, 32, 64, 128), (512, 1024, 2048)
LEAST_SAME = 0.5  # of the answers; int8 and fp32, or two rules of when to stop, differ in a quarter of them
ROWS, NEWCOMERS = (80, 160, 320, 640), (8, 32)
HEADINGS = (
    f"{'engine':<34} {'beam':>4} {'maps':>5} {'a second':>9} {'tokens/s':>9} {'slowest':>8} {'fastest':>8} "
    f"{'max MB':>7} {'same':>5} {'BLEU':>6}  setting"
)


def with_torch(given: argparse.Namespace) -> str:
    """An interpreter that has torch: the one given, ours if it has it, or one made for this."""
    if given.torch_python:
        return str(given.torch_python)
    return sys.executable if find_spec("torch") else str(python_of("torch", given.work / "env"))


def ctranslate2(given: argparse.Namespace, beam: int, attention: bool) -> list[Entry]:
    """Ours and CTranslate2 on the same Transformer weights, converted and checked."""
    job, folder = _texts(given), (given.work / "ctranslate2").absolute()
    python = python_of("ctranslate2", given.work / "env")
    weights = ["--run", str(given.checkpoint)] if given.checkpoint else ["--random", given.random]
    _do([with_torch(given), "-m", f"{INSIDE}.weights", str(job), str(folder), *weights])
    told = _do([str(python), "-m", f"{INSIDE}.conversion", str(job), str(folder)])
    print(f"CTranslate2's conversion in fp32, against torch: {told.strip()}", flush=True)
    threads = [(1, given.threads), *([(given.threads, 1)] if given.threads > 1 else [])]
    batches = [*product(EXAMPLES, ["examples"]), *product(TOKENS, ["tokens"])]
    choices: list[Setting] = [
        {"batch": batch, "unit": unit, "inter": inter, "intra": intra}
        for (batch, unit), (inter, intra) in product(batches, threads)
    ]
    command = [str(python), "-m", f"{INSIDE}.ctranslate2_engine", str(job), str(folder)]
    entries = [] if given.checkpoint is None else heed(given, job, beam, attention, also_longer=True)
    for compute, kernels in product(given.computes, ("dnnl", "mkl")):
        fixed: Setting = {"beam": beam, "attention": attention, "compute": compute}
        use = {"CT2_USE_MKL": "1" if kernels == "mkl" else "0"}
        entries.append(Entry(f"CTranslate2 {compute} {kernels}", command, fixed, choices, use))
    return entries


def eager(given: argparse.Namespace, beam: int, attention: bool) -> list[Entry]:
    """Ours and eager PyTorch on the same translator."""
    job = _texts(given)
    return [*heed(given, job, beam, attention), _eager(given, job, beam, attention, EXAMPLES)]


def captions(given: argparse.Namespace, beam: int, attention: bool) -> list[Entry]:
    """Ours and eager PyTorch on the same captioner, from the bytes of the pictures."""
    job = write_pictures(Bundle(given.bundle), given.pictures, given.most, given.work / "pictures.json")
    ours = heed(given, job, beam, attention, rows=(40, 80, 160), newcomers=(1, 4, 8, 16), sort=(False,))
    return [*ours, _eager(given, job, beam, attention, (1, 4, 8, 16, 32))]


def heed(
    given: argparse.Namespace,
    job: Path,
    beam: int,
    attention: bool,
    *,
    rows: Sequence[int] = ROWS,
    newcomers: Sequence[int] = NEWCOMERS,
    sort: Sequence[bool] = (True, False),
    also_longer: bool = False,
) -> list[Entry]:
    """Our engine; also_longer: once more, searching until as many hypotheses ended as the beam is wide."""
    choices: list[Setting] = [
        {"rows": max(beam, count * beam // 5), "newcomers": few, "sort": sorted_}
        for count, few, sorted_ in product(rows, newcomers, sort)
    ]
    precision = given.precision
    exported(given.bundle, precision)
    program = [sys.executable, "-m", f"{INSIDE}.heed_engine", str(job), str(given.bundle.absolute()), precision]
    fixed: Setting = {"beam": beam, "attention": attention, "n_best": 1}
    entries = []
    for engines, threads in dict.fromkeys([(given.threads, 1), (1, given.threads)]):
        command, name = [*program, str(threads), str(engines)], f"Heed {precision}, {engines} x {threads}"
        entries.append(Entry(name, command, fixed, choices))
        if also_longer and beam > 1:
            entries.append(Entry(f"{name}, {beam} hypotheses", command, {**fixed, "n_best": beam}, choices))
    return entries


def _eager(given: argparse.Namespace, job: Path, beam: int, attention: bool, batches: Sequence[int]) -> Entry:
    command = [with_torch(given), "-m", f"{INSIDE}.eager_engine", str(job), str(given.checkpoint), str(given.threads)]
    fixed: Setting = {"beam": beam, "attention": attention}
    return Entry("PyTorch eager fp32", command, fixed, [{"batch": batch} for batch in batches])


CONTESTS = {"ctranslate2": ctranslate2, "eager": eager, "captions": captions}


def compare(name: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Every beam with and without attention: a row and a line of JSON for each engine, ratios to our first row."""
    told: list[dict[str, Any]] = []
    print(HEADINGS)
    for beam, attention in product(given.beams, (False, True)):
        entries = CONTESTS[name](given, beam, attention)
        results = contest(entries, given.work / "logs", runs=given.runs, few=given.few)
        scores = _scores(given, results)
        for one, score in zip(results, scores, strict=True):
            row = _told(name, one, results[0], beam, attention, score)
            told.append(row)
            print(_line(row))
            print(json.dumps(row), flush=True)
            if row["same_answers"] < LEAST_SAME:
                print(f"*** {one.name} AND {results[0].name} SELDOM SAY THE SAME: is this the bundle's own checkpoint?")
    return told


def _told(name: str, one: Result, first: Result, beam: int, attention: bool, bleu: float | None) -> dict[str, Any]:
    return {
        "contest": name,
        "engine": one.name,
        **{key: value for key, value in one.about.items() if key != "engine"},
        "version": one.about["engine"],
        "beam": beam,
        "attention": attention,
        "a_second": round(one.rate, 2),
        "tokens_a_second": round(one.tokens, 1),
        "slowest": round(one.slowest, 2),
        "fastest": round(one.fastest, 2),
        "max_mb": round(one.rss),
        "same_answers": round(agreement(one, first), 3),
        "bleu": bleu,
        "ratio": round(first.rate / one.rate, 3),
        "setting": one.setting,
    }


def _line(row: dict[str, Any]) -> str:
    setting = " ".join(f"{key}={value}" for key, value in row["setting"].items())
    bleu = "" if row["bleu"] is None else f"{row['bleu']:.2f}"
    return (
        f"{row['engine']:<34} {row['beam']:>4} {row['attention']!s:>5} {row['a_second']:>9.1f} "
        f"{row['tokens_a_second']:>9.0f} {row['slowest']:>8.1f} {row['fastest']:>8.1f} {row['max_mb']:>7} "
        f"{row['same_answers']:>5.2f} {bleu:>6}  {setting}"
    )


def _texts(given: argparse.Namespace) -> Path:
    bundle = Bundle(given.bundle)
    return write_texts(bundle, texts_for(bundle, given.texts, given.most), given.work / "texts.json")


def _scores(given: argparse.Namespace, results: Sequence[Result]) -> list[float | None]:
    """BLEU of each result's answers, where there are references, a line a text."""
    if not given.references:
        return [None] * len(results)
    bundle, asked = Bundle(given.bundle), given.work / "bleu.json"
    wanted = texts_for(bundle, given.texts, None)
    if len(wanted) != len(given.references_read):
        raise SystemExit("--references must have a line for each text, and every text must fit the model")
    scores: list[float | None] = []
    for one in results:
        said = [bundle.text.text(ids) for ids in one.answers]
        asked.write_text(json.dumps({"said": said, "references": [given.references_read[: len(said)]]}))
        scores.append(json.loads(_do([with_torch(given), "-m", f"{INSIDE}.bleu", str(asked)]))["bleu"])
    return scores


def _do(command: Sequence[str]) -> str:
    """Run one of our scripts; what it printed."""
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603
