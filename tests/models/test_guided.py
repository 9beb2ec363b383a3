"""Guided alignment: known rows, their cost by hand, and nets that learn to look where they are told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bundle.text import Vocabulary, train_vocabulary
from models.grammar import sentences
from models.guided import cost, rows, stacked
from models.nets.transformer import TransformerTranslator
from models.train import Run
from tests.models.test_alignment import gold_rows
from tests.models.test_train import data, recipe

__all__ = ["data"]  # the toy corpus, a fixture


def test_the_cost_of_two_known_rows_by_hand() -> None:
    weights = torch.tensor([[[0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]]])
    wanted = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.5, 0.0]]])
    by_hand = -(math.log(0.5) + 0.5 * math.log(0.1) + 0.5 * math.log(0.8)) / 2
    assert cost(weights, wanted).item() == pytest.approx(by_hand)
    assert cost(weights, torch.zeros_like(wanted)).item() == 0


def test_rows_are_those_of_the_gold_and_commas_are_not_told(tmp_path: Path) -> None:
    pairs = sentences("en", "de", 10, 40)
    vocabulary = Vocabulary(train_vocabulary([t for p in pairs for t in p.texts()], tmp_path / "v", 120))
    for pair in pairs:
        told, gold = rows(pair, vocabulary), gold_rows(pair, vocabulary)
        told_of = told.sum(1) > 0
        wanted = gold[told_of] / gold[told_of].sum(1, keepdims=True)
        np.testing.assert_allclose(told[told_of], wanted, atol=1e-5)
        assert (gold[~told_of, :-1] == 0).all()
    together = stacked([rows(pairs[0], vocabulary), None], (2, 60, 60))
    assert together[0].sum() > 0 and together[1].sum() == 0


def guided(kind: dict[str, Any], weight: float) -> dict[str, Any]:
    made = recipe(steps=60, judge_every=1000)
    made["net"] = kind
    made["data"] |= {"train": [{"aligned": "train"}, {"grammar": 60, "seed": 3}], "vocabulary": 150, "guide": weight}
    return made


@pytest.mark.parametrize(
    "kind",
    [
        {"kind": "luong", "attention": "general", "embedding": 16, "encoder": 12, "decoder": 24},
        {
            "kind": "transformer",
            "width": 16,
            "heads": 2,
            "inner": 16,
            "encoder_layers": 1,
            "dropout": 0.0,
            "decoder_layers": 2,
        },
    ],
    ids=["luong", "transformer"],
)
def test_a_net_learns_to_look_where_it_is_told(kind: dict[str, Any], data: Path, tmp_path: Path) -> None:
    costs = []
    for weight in (1e-9, 10.0):
        run = Run(guided(kind, weight), data, tmp_path / str(weight))
        random = np.random.default_rng(1)
        batches = [batch for batch in run.task.batches(0, random) if batch.wanted.any()]
        for _ in range(6):
            for batch in batches:
                run.update(batch)
        source, target, wanted, _ = batches[0]
        given = torch.cat([torch.full_like(target[:, :1], 2), target[:, :-1]], 1)
        net: Any = run.net.eval()
        with torch.no_grad():
            costs.append(cost(net.logits_and_rows(source, given, target != 0)[1], wanted).item())
    assert costs[1] < 0.9 * costs[0]


def test_a_transformer_that_tells_its_rows_says_what_it_says_without() -> None:
    torch.manual_seed(1)
    net = TransformerTranslator(30, width=12, heads=3, inner=16, encoder_layers=2, decoder_layers=2).eval()
    source, given = torch.tensor([[5, 6, 7, 8, 3], [9, 10, 3, 0, 0]]), torch.tensor([[2, 11, 12], [2, 13, 14]])
    with torch.no_grad():
        logits, weights = net.logits_and_rows(source, given, given != 0)
        torch.testing.assert_close(logits, net.logits_at(source, given, given != 0))
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))
        place = net.begin(source)
        for t in range(3):
            _, by_layer, place = net.follow(given[:, t : t + 1], place)
            torch.testing.assert_close(by_layer[0][:, 0, 0], weights[:, t])
    assert (weights[1, :, 3:] == 0).all()
