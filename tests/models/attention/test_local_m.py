"""Local monotonic attention against numbers worked out by hand."""

from __future__ import annotations

import math

import torch

from models.attention.local_m import LocalM
from tests.models.attention.tiny import look


def at(step: float) -> torch.Tensor:
    return torch.tensor([[[step]]])


def test_the_first_step_sees_the_first_position_and_those_within_reach() -> None:
    seen = look(LocalM(1, 1, 1, score="dot", reach=1), at(0))
    energies = [0.25 * 0.5, 0.25 * -1.0]
    total = sum(map(math.exp, energies))
    expected = torch.tensor([*(math.exp(one) / total for one in energies), 0.0, 0.0])
    torch.testing.assert_close(seen.weights[0, 0], expected)
    assert seen.window is not None and seen.window.tolist() == [[[-1.0, 1.0]]]
    assert seen.carried.item() == 1.0


def test_beyond_the_end_of_the_source_the_window_stays_at_its_last_position() -> None:
    seen = look(LocalM(1, 1, 1, score="dot", reach=0), at(40))
    assert seen.weights[0, 0].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert seen.window is not None and seen.window.tolist() == [[[2.0, 2.0]]]
