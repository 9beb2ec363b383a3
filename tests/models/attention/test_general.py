"""Luong's general score against numbers worked out by hand."""

from __future__ import annotations

import math

import torch

from models.attention.general import General
from tests.models.attention.tiny import filled, look


def test_weights_are_those_worked_out_by_hand() -> None:
    energies = [0.25 * 3 * 0.5, 0.25 * 3 * -1.0, 0.25 * 3 * 2.0]
    total = sum(map(math.exp, energies))
    expected = torch.tensor([*(math.exp(one) / total for one in energies), 0.0])
    torch.testing.assert_close(look(filled(General(1, 1, 1), key=3.0)).weights[0, 0], expected)


def test_it_compares_across_widths_by_the_bilinear_form() -> None:
    torch.manual_seed(1)
    net, memory, query = General(4, 3, 9), torch.randn(1, 5, 4), torch.randn(1, 2, 3)
    assert net.key is not None
    expected = torch.einsum("bkq,qm,bsm->bks", query, net.key.weight, memory)
    torch.testing.assert_close(net.score(query, net.project(memory)), expected)
