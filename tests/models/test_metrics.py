"""Figures of known sentences, counted by hand."""

from __future__ import annotations

import functools
import math
import shutil

import pytest

pytest.importorskip("pycocoevalcap")
pytest.importorskip("sacremoses")

from models.metrics import caption_scores, translation_scores

without_java = functools.partial(caption_scores, meteor=False)

DOG = ["a dog runs on grass", "the dog runs", "a brown dog runs on the grass", "dog on grass", "a dog outside"]
CAT = ["a cat sleeps on a sofa", "the cat sleeps", "a grey cat lies on the sofa", "cat on sofa", "a cat inside"]


def test_perfect_captions_score_a_hundred() -> None:
    scores = without_java([DOG[0], CAT[2]], [DOG, CAT])
    assert [scores[f"BLEU-{n}"] for n in (1, 2, 3, 4)] == [100, 100, 100, 100]
    assert scores["ROUGE-L"] == 100
    assert scores["CIDEr"] > 100


def test_bleu_of_captions_by_hand() -> None:
    # five words; of 5, 4, 3, 2 n-grams these are in some reference: a, dog, on, grass / a dog, on grass / none / none
    scores = without_java(["a dog sits on grass"], [DOG])
    assert scores["BLEU-1"] == pytest.approx(100 * 4 / 5, abs=0.01)
    assert scores["BLEU-2"] == pytest.approx(100 * math.sqrt(4 / 5 * 2 / 4), abs=0.01)
    assert scores["BLEU-4"] < 1


def test_short_captions_pay_the_brevity_penalty() -> None:
    references = ["a b c d e f g h"]
    assert without_java(["a b c d"], [references])["BLEU-1"] == pytest.approx(100 * math.exp(1 - 8 / 4), abs=0.01)


def test_rouge_is_that_of_the_longest_common_subsequence() -> None:
    # common: a, c, d: precision 3/4, recall 3/3, β = 1.2
    expected = (1 + 1.44) * 0.75 * 1 / (1 + 1.44 * 0.75)
    assert without_java(["a b c d"], [["a c d"]])["ROUGE-L"] == pytest.approx(100 * expected, abs=0.01)


def test_a_wrong_picture_scores_lower() -> None:
    right, swapped = without_java([DOG[0], CAT[0]], [DOG, CAT]), without_java([CAT[0], DOG[0]], [DOG, CAT])
    assert all(right[name] > swapped[name] for name in right)


def test_meteor_where_there_is_java() -> None:
    scores = caption_scores([DOG[0]], [DOG])
    assert ("METEOR" in scores) == (shutil.which("java") is not None)
    assert scores.get("METEOR", 100) > 50


def test_one_caption_a_picture_is_asked_for() -> None:
    with pytest.raises(ValueError, match="1 captions for 2 pictures"):
        caption_scores(["a dog"], [DOG, CAT])


def _named(scores: dict[str, float], start: str) -> float:
    (value,) = [value for name, value in scores.items() if name.startswith(start)]
    return value


def test_case_costs_sacrebleu_but_not_the_lower_cased_bleu() -> None:
    scores = translation_scores(["ein hund läuft über das gras."], ["Ein Hund läuft über das Gras."], "de")
    assert _named(scores, "BLEU, tokenised") == 100
    assert _named(scores, "sacreBLEU") < 50
    assert 0 < _named(scores, "chrF") < 100


def test_moses_splits_punctuation_and_leaves_quotes_unescaped() -> None:
    # tokens of both: ein " hund " läuft , ja ! - all but one of 8 are right
    scores = translation_scores(['Ein "Hund" läuft, ja!'], ['Ein "Hund" rennt, ja!'], "de")
    assert 0 < _named(scores, "BLEU, tokenised") < 100


def test_every_translation_figure_names_its_signature() -> None:
    scores = translation_scores(["a b"], ["a b"], "de")
    names = " ".join(scores)
    assert "case:mixed" in names
    assert "tok:13a" in names
    assert "tok:none" in names
    assert names.count("version:") == 3
