"""Rewards by hand, draws that end where they should, and a gradient that favours what was rewarded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bundle.text import BOS, EOS, PAD, UNK
from models.nets.captioner import Captioner
from models.scst import Rewards, draw, self_critical

REFERENCES = [[[5, 6, 7, 8, EOS], [5, 6, 9, 8, EOS]], [[10, 11, 12, 13, EOS], [10, 14, 12, 13, EOS]]]


@pytest.fixture
def rewards() -> Rewards:
    return Rewards(REFERENCES, bleu_weight=1.0)


def test_a_reference_earns_most_on_its_own_picture_and_nothing_on_another(rewards: Rewards) -> None:
    right, near = rewards(0, [5, 6, 7, 8, EOS]), rewards(0, [5, 6, 7, EOS])
    assert right > near > rewards(1, [5, 6, 7, 8, EOS]) >= 0
    assert rewards.cider(1, [5, 6, 7, 8]) == 0


def test_bleu_of_a_reference_is_one_and_of_half_of_it_is_what_it_is_by_hand(rewards: Rewards) -> None:
    assert rewards.bleu(0, [5, 6, 7, 8, EOS]) == pytest.approx(1.0)
    # 5 6: one- and two-grams all found; orders 3 and 4 are (0 + 1) / (0 + 1); brevity exp(1 - 5 / 2)
    assert rewards.bleu(0, [5, 6]) == pytest.approx(np.exp(1 - 5 / 2))


@pytest.fixture
def net() -> Captioner:
    torch.manual_seed(1)
    return Captioner(16, memory=8, embedding=6, decoder=10, attention_width=7)


def test_draws_hold_no_silent_piece_and_nothing_is_real_after_the_end(net: Captioner) -> None:
    drawn = draw(net.eval(), torch.rand(3, 4, 1280), rows=5, longest=9)
    assert drawn.tokens.shape == drawn.real.shape and drawn.tokens.shape[:2] == (3, 5)
    for row, real in zip(drawn.tokens.reshape(15, -1).tolist(), drawn.real.reshape(15, -1).tolist(), strict=True):
        said = row[: sum(real)]
        assert all(real[: sum(real)]) and not {PAD, UNK, BOS} & set(said)
        assert EOS not in said[:-1]


def test_training_on_rewards_makes_rewarded_captions_likelier(net: Captioner, rewards: Rewards) -> None:
    torch.manual_seed(3)
    annotations, pictures = torch.rand(2, 4, 1280), np.arange(2)
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    earned = []
    for _ in range(150):
        loss, _, reward = self_critical(net, annotations, pictures, rewards, 6, 0.0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        earned.append(reward)
    assert np.mean(earned[-10:]) > 1.5 * np.mean(earned[:10])
