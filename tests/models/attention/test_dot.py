"""Luong's dot score against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from models.attention.dot import Dot
from tests.models.attention.tiny import look


def test_weights_are_those_worked_out_by_hand() -> None:
    energies = [0.25 * 0.5, 0.25 * -1.0, 0.25 * 2.0]
    total = sum(map(math.exp, energies))
    expected = torch.tensor([*(math.exp(one) / total for one in energies), 0.0])
    torch.testing.assert_close(look(Dot(1, 1, 1)).weights[0, 0], expected)


def test_it_has_no_weights_and_its_keys_are_the_memory() -> None:
    memory = torch.randn(1, 3, 4)
    assert not list(Dot(4, 4, 9).parameters()) and Dot(4, 4, 9).project(memory) is memory


def test_unequal_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="3 and 4"):
        Dot(3, 4, 9)
