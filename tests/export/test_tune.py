"""What a search is tuned on: for a model of several pairs everyday sentences of each that has any, with its tag."""

from __future__ import annotations

import lzma
from pathlib import Path

from bundle.manifest import Bundle, Score, SearchDefaults
from export.tune import development, searching
from models.data import judged


def test_a_model_of_several_pairs_is_tuned_on_everyday_sentences_of_each(toys: Path, tmp_path: Path) -> None:
    folder = tmp_path / "translation/tatoeba"
    folder.mkdir(parents=True)
    rows = "\n".join(f"he has {i} books\true" for i in range(4000))
    for name in ("deu", "fra"):
        (folder / f"{name}-eng.tsv.xz").write_bytes(lzma.compress(f"{rows}\n".encode()))
    bundle = Bundle(toys / "toy-pairs")
    sets = development(bundle, tmp_path)
    number = sum(judged(f"he has {i} books") for i in range(4000))
    assert [len(inputs) for inputs, _ in sets] == [number, number] and number > 0
    assert [inputs[0]["source"][0] for inputs, _ in sets] == [bundle.tag(pair)[0] for pair in bundle.manifest.pairs[:2]]
    assert sets[0][1] == [["rue"] * number]


def test_a_model_of_one_pair_is_tuned_on_captions(toys: Path, tmp_path: Path) -> None:
    folder = tmp_path / "translation/multi30k"
    folder.mkdir(parents=True)
    for code, text in (("en", "a dog\n"), ("de", "ein Hund\n")):
        (folder / f"val.{code}.xz").write_bytes(lzma.compress(text.encode()))
    assert development(Bundle(toys / "toy-echo"), tmp_path)[0][1] == [["ein Hund"]]


def test_another_search_leaves_no_score_of_the_one_before(toys: Path) -> None:
    def score(data: str) -> Score:
        return Score(metric="chrF", value=1.0, data=data, command="python -m export score …")

    usual = SearchDefaults(beam_size=5, length_penalty=1.4)
    kept = [
        score(f"{what}, int8, beam 5, length penalty {p}")
        for what, p in (("one", "1.4"), ("one", "1"), ("maps", "1.4"))
    ]
    grammar = score("synthetic grammar, 500 sentences, int8, forced")
    manifest = Bundle(toys / "toy-echo").manifest.model_copy(update={"search": usual, "scores": (*kept, grammar)})
    found = searching(manifest, SearchDefaults(beam_size=5, length_penalty=0.6))
    assert found.search.length_penalty == 0.6 and found.scores == (*kept[1:], grammar)
    assert searching(manifest, usual).scores == manifest.scores
