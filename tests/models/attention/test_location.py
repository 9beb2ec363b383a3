"""Location-based attention against numbers worked out by hand."""

from __future__ import annotations

import math

import torch

from models.attention.location import Location
from tests.models.attention.tiny import MASK, look


def test_weights_come_from_the_query_alone() -> None:
    net = Location(1, 1, 1, longest=6)
    with torch.no_grad():
        net.place.weight[:, 0] = torch.tensor([1.0, 4.0, -2.0, 8.0, 8.0, 8.0])
    energies = [0.25 * one for one in (1.0, 4.0, -2.0)]
    total = sum(map(math.exp, energies))
    expected = torch.tensor([*(math.exp(one) / total for one in energies), 0.0])
    torch.testing.assert_close(look(net).weights[0, 0], expected)
    query = torch.tensor([[[0.25]]])
    one, other = (net(query, torch.randn(1, 4, 1), MASK) for _ in range(2))
    torch.testing.assert_close(one, other)


def test_words_beyond_the_longest_are_never_looked_at() -> None:
    torch.manual_seed(1)
    net = Location(4, 3, 5, longest=2)
    weights = net(torch.randn(1, 1, 3), torch.randn(1, 5, 4), torch.ones(1, 5, dtype=torch.bool))
    assert (weights[0, 0, 2:] == 0).all() and abs(weights.sum().item() - 1) < 1e-6
