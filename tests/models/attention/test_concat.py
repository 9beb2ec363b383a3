"""Luong's concat score against numbers worked out by hand."""

from __future__ import annotations

import math

import torch

from models.attention.concat import Concat
from tests.models.attention.tiny import filled, look


def test_weights_are_those_worked_out_by_hand() -> None:
    net = filled(Concat(1, 1, 1), key=1.0, query=2.0, energy=3.0)
    energies = [3 * math.tanh(2 * 0.25 + one) for one in (0.5, -1.0, 2.0)]
    total = sum(map(math.exp, energies))
    expected = torch.tensor([*(math.exp(one) / total for one in energies), 0.0])
    torch.testing.assert_close(look(net).weights[0, 0], expected)


def test_its_halves_are_one_matrix_over_the_concatenation_without_a_bias() -> None:
    torch.manual_seed(1)
    net, memory, query = Concat(4, 3, 5), torch.randn(1, 1, 4), torch.randn(1, 1, 3)
    assert net.key is not None and net.key.bias is None
    whole = torch.cat([net.query.weight, net.key.weight], 1)  # W_a of [h_t; h̄_s]
    expected = net.energy(torch.tanh(torch.cat([query, memory], -1) @ whole.T))
    torch.testing.assert_close(net.score(query, net.project(memory)), expected)
