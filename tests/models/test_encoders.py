"""The picture encoder: where on the grid does it look, and is it what the package trained?"""

from __future__ import annotations

import pytest
import torch

from models.encoders import Trunk


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    return Trunk("lite0")


def test_the_grid_has_fourteen_rows_of_fourteen_places(trunk: Trunk) -> None:
    assert trunk(torch.zeros(1, 3, 224, 224)).shape == (1, 196, 1280)


@pytest.mark.parametrize(("row", "column"), [(2, 11), (11, 2), (7, 7)])
def test_a_change_in_the_picture_moves_the_places_around_it_most(trunk: Trunk, row: int, column: int) -> None:
    torch.manual_seed(1)
    pixels = torch.randn(1, 3, 224, 224) * 0.2
    changed = pixels.clone()
    changed[..., row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] += 1.5
    moved = (trunk(changed) - trunk(pixels)).abs().mean(-1)[0].reshape(14, 14) ** 2
    share = moved / moved.sum()  # a place sees much of the picture: look at the middle of what moved, not at its peak
    places = torch.arange(14.0)
    middle = float(share.sum(1) @ places), float(share.sum(0) @ places)
    assert abs(middle[0] - row) < 3 and abs(middle[1] - column) < 3


def test_it_is_frozen_and_stays_in_evaluation(trunk: Trunk) -> None:
    trunk.train()
    assert not any(module.training for module in trunk.modules())
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
