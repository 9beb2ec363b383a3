"""Rewards by hand, draws that end where they should, and a gradient that favours what was rewarded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bundle.text import BOS, EOS, PAD, UNK
from models.nets.captioner import Captioner
from models.scst import Rewards, draw, self_critical, shares, surprises

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


def test_the_surprise_is_that_of_the_policy_that_drew(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(2)
    net = Captioner(16, memory=8, embedding=6, decoder=10, attention_width=7, dropout_output=0.9).eval()
    annotations, policies = torch.rand(2, 4, 1280), []
    output = net.output

    def heard(*inputs: torch.Tensor) -> torch.Tensor:
        policies.append(net.training)
        return output(*inputs)

    monkeypatch.setattr(net, "output", heard)
    _, words, _ = self_critical(net, annotations, np.arange(2), Rewards(REFERENCES, 1.0), 6, 0.0)
    assert policies and not any(policies) and net.training
    drawn = draw(net.eval(), annotations, rows=5, longest=9)
    logits = output(drawn.hiddens, drawn.embedded, drawn.contexts).clone()
    logits[..., [PAD, UNK, BOS]] = -torch.inf  # they are never drawn
    wanted = -logits.log_softmax(-1).gather(-1, drawn.tokens[..., None])[..., 0][drawn.real]
    torch.testing.assert_close(surprises(net, drawn), wanted)
    assert words > 0


def test_training_on_rewards_makes_rewarded_captions_likelier(net: Captioner, rewards: Rewards) -> None:
    torch.manual_seed(3)
    annotations, pictures = torch.rand(2, 4, 1280), np.arange(2)
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    earned = []
    for _ in range(300):
        loss, _, reward = self_critical(net, annotations, pictures, rewards, 6, 0.0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        earned.append(reward)
    assert np.mean(earned[-10:]) > 1.5 * np.mean(earned[:10])


def test_what_corpus_bleu_adds_up(rewards: Rewards) -> None:
    # 5 6 9 and the end: every word is in a caption, 5 6 and 6 9 are, 9 end is not; 5 6 9 is, 6 9 end is not; no four
    assert rewards.counts(0, [5, 6, 9, EOS]) == [4, 2, 1, 0, 4, 3, 2, 1, 4, 5]


def test_a_share_is_the_slope_of_the_corpus_bleu() -> None:
    usual = np.array([6.0, 4, 2, 1, 8, 7, 6, 5, 8, 9])
    one = np.array([5.0, 4, 3, 2, 7, 6, 5, 4, 7, 9])

    def log_bleu(sums: np.ndarray) -> float:
        return float(np.log(sums[:4] / sums[4:8]).mean() + min(0.0, 1 - sums[9] / sums[8]))

    step = 1e-6
    slope = (log_bleu(usual + step * one) - log_bleu(usual)) / step
    assert shares(one[None], usual)[0] == pytest.approx(slope, rel=1e-4)


def test_a_corpus_that_is_too_short_pays_for_longer_captions() -> None:
    known = Rewards(REFERENCES, bleu_weight=0.0, corpus_weight=1.0)
    short, long = [5, 6, EOS], [5, 6, 7, 8, EOS]
    earned = known.of([0, 0], [short, long])
    assert earned[1] - earned[0] > known(0, long) - known(0, short)
