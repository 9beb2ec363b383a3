"""The tables of scores in the documentation, from the manifests of the shipped bundles.

Knows nothing of how anything was measured: what a bundle's card does not say is a dash.
"""

from __future__ import annotations

from collections.abc import Sequence

from bundle.manifest import Manifest, read_manifest
from tests.house.tree import ROOT

DASH = "–"
TOKENISED = "BLEU, tokenised (Moses), lower-cased"
MASKED, UNIFORM = "strongest position masked, %", "uniform attention, %"


def shipped(prefix: str = "") -> list[Manifest]:
    """What is in the zoo, by precedence and name."""
    every = [read_manifest(path) for path in (ROOT / "zoo").glob(f"{prefix}*/manifest.json")]
    return sorted(every, key=lambda one: (-one.precedence, one.name))


def figure(manifest: Manifest, data: str, metric: str, digits: int = 1) -> str:
    """A figure of a card: the one whose data and metric begin like that."""
    for score in manifest.scores:
        if score.data.startswith(data) and score.metric.startswith(metric):
            return f"{score.value:.{digits}f}"
    return DASH


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def family() -> str:
    """What sets the ten small nets apart, in figures."""
    heads = ("bundle", "test_2016", "test_2017", "COCO", "alignment error", "size", "trained (its last run)")
    rows = []
    for one in shipped("en-de-small-"):
        scores = [figure(one, f"multi30k/{name}", TOKENISED) for name in SETS]
        size = sum(path.stat().st_size for path in (ROOT / "zoo" / one.name).iterdir()) / 1e6
        trained = one.made_with.get("trained", DASH).rsplit(", then ", 1)[-1]
        error = figure(one, "synthetic grammar", "alignment error rate", 3)
        rows.append([f"`{one.name}`", *scores, error, f"{size:.1f} MB", trained])
    return table(heads, rows)


SETS = ("test_2016_flickr", "test_2017_flickr", "test_2017_mscoco")


def directions() -> str:
    """How well each pair is translated, by the models that are meant for anything."""
    heads = ("pair", "bundle", "Tatoeba, held back", "chrF there", "newstest2013", "Multi30k test_2016")
    rows = []
    for one in shipped():
        several = len(one.pairs) > 1
        for pair in one.pairs if several or one.precedence else ():
            told = f" {pair}," if several else ","
            sets = (
                f"tatoeba held back{told}",
                f"wmt-newstest-dev/newstest2013{told}",
                f"multi30k/test_2016_flickr{told}",
            )
            everyday, news, captions = (figure(one, name, "sacreBLEU") for name in sets)
            names = f"{pair.source} → {pair.target}", f"`{one.name}`"
            rows.append([*names, everyday, figure(one, sets[0], "chrF"), news, captions])
    return table(heads, rows)


def trust() -> str:
    """How often a map decides its word, of every shipped model that has maps."""
    heads = ("", "inputs", *(f"{kind} words, {how}" for how in ("masked", "uniform") for kind in KINDS), "τ")
    rows = []
    for one in shipped():
        told = [score.data for score in one.scores if score.metric.endswith(MASKED)]
        for data in dict.fromkeys(told):
            shares = [
                figure(one, data, f"{kind} words unchanged, {how}") for how in (MASKED, UNIFORM) for kind in KINDS
            ]
            rows.append([one.name, data.removeprefix("maps, "), *shares, figure(one, data, "Kendall", 2)])
    rows.append(["Moradi et al. 2019, German to English", "their test set", "68", "21", "", "", ""])
    return table(heads, rows)


KINDS = ("function", "content")
