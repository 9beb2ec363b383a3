"""Alignment error of bundles, measured through the engine; and the head that a Transformer shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bundle.manifest import Bundle
from export.align import forced, main, measure, pairs_of
from export.heads import best, rows
from models.grammar import sentences
from models.nets.transformer import TransformerTranslator
from service.engine.session import Session

PAIRS = sentences("en", "de", 1, 3)


def test_every_head_is_measured_and_what_is_shown_is_one_of_them(toys: Path) -> None:
    bundle = Bundle(toys / "toy-transformer")
    found = measure(bundle, Session(bundle, precision="fp32"), pairs_of(bundle)[0], 3)
    assert len(found) == 1 + 2 * (3 + 1)  # two layers of three heads, and their means
    usual = bundle.manifest.attention[0]
    assert found["shown"] == found[f"layer {usual.default_layer} {usual.default_head}"]


def test_a_model_without_attention_has_no_error_to_measure(toys: Path) -> None:
    bundle = Bundle(toys / "toy-none")
    with pytest.raises(ValueError, match="no map"):
        pairs_of(bundle)


def test_the_engine_says_the_grammars_words_and_torch_has_the_same_rows(toys: Path) -> None:
    bundle = Bundle(toys / "toy-transformer")
    torch.manual_seed(1)
    net = TransformerTranslator(len(bundle.text), width=24, heads=3, inner=16, encoder_layers=2, decoder_layers=2)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    for pair, found in zip(PAIRS, forced(Session(bundle, precision="fp32"), bundle, PAIRS), strict=True):
        assert len(found) == len(bundle.text.ids(pair.texts()[1])) + 1
        np.testing.assert_allclose(found, rows(net.eval(), bundle.text, pair), atol=1e-4)


def test_the_best_head_is_the_one_that_aligns_best(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, random = Bundle(toys / "toy-transformer"), np.random.default_rng(1)
    net = TransformerTranslator(len(bundle.text), width=24, heads=3, inner=16, encoder_layers=2, decoder_layers=2)

    def diagonal(_net, vocabulary, pair):
        source, target = (len(vocabulary.ids(text)) + 1 for text in pair.texts())
        made = random.dirichlet(np.ones(source), (target, 2, 3))
        made[:, 1, 2] = np.eye(source)[np.minimum(np.arange(target) * source // target, source - 1)]
        return made

    monkeypatch.setattr("export.heads.rows", diagonal)
    shown = best(net, bundle.text, "en", "de")
    assert (shown.layer, shown.head) == (1, 2)
    assert 0 < shown.error < 1


def test_what_asks_for_a_language_is_in_the_source_and_not_in_its_rows(toys: Path) -> None:
    bundle = Bundle(toys / "toy-pairs")
    session, (german, french) = Session(bundle, precision="fp32"), pairs_of(bundle)
    assert (german.target, french.target) == ("de", "fr")  # and not from French to German: no grammar speaks both
    told = [forced(session, bundle, PAIRS, bundle.tag(pair)) for pair in (german, french)]
    for pair, one, other in zip(PAIRS, *told, strict=True):
        source, target = (len(bundle.text.ids(text)) + 1 for text in pair.texts())
        assert one.shape == other.shape == (target, source)


def test_every_pair_of_languages_gets_a_line_on_the_card(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(toys / "toy-pairs", tmp_path / "toy-pairs")
    assert main([str(tmp_path / "toy-pairs"), "--precision", "fp32", "--sentences", "3", "--write"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["languages"] for line in printed] == ["en-de", "en-fr"]
    scores = Bundle(tmp_path / "toy-pairs").manifest.scores
    found = [score.value for score in scores if score.metric == "alignment error rate"]
    assert found == [line["error"]["shown"] for line in printed]
