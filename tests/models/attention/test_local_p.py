"""Local predictive attention against numbers worked out by hand."""

from __future__ import annotations

import math

import torch

from models.attention import Attention
from models.attention.local_p import LocalP
from tests.models.attention.tiny import filled, look


def tiny() -> Attention:
    return filled(LocalP(1, 1, 1, score="dot", reach=2), aim=2.0, aim_at=0.5)


def test_position_window_and_weights_are_those_worked_out_by_hand() -> None:
    seen = look(tiny())
    centre = 3 / (1 + math.exp(-0.5 * math.tanh(2 * 0.25)))  # S = 3 real positions
    assert seen.window is not None
    torch.testing.assert_close(seen.window[0, 0], torch.tensor([centre - 2, centre + 2]))
    energies = [0.25 * 0.5, 0.25 * -1.0, 0.25 * 2.0]
    total = sum(map(math.exp, energies))  # 1.67 ± 2 holds all three
    sigma = 2 / 2
    expected = [
        math.exp(one) / total * math.exp(-((s - centre) ** 2) / (2 * sigma**2)) for s, one in enumerate(energies)
    ]
    torch.testing.assert_close(seen.weights[0, 0], torch.tensor([*expected, 0.0]))


def test_the_prediction_learns_through_the_gaussian() -> None:
    net = tiny()
    look(net).weights[0, 0, 0].backward()
    grad = net.get_parameter("aim_at.weight").grad
    assert grad is not None and grad.item() < 0  # to weigh the first position more, aim further to the front
