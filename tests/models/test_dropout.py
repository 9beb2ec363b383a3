"""Dropout by bytes drops what it is told to, and scales the rest."""

from __future__ import annotations

import pytest
import torch

from models.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_a_share_is_zero_and_the_mean_stays(share: float) -> None:
    torch.manual_seed(1)
    x = torch.ones(101, 997)
    dropped = Dropout(share)(x)
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    assert len(dropped.unique()) == 2


def test_every_place_has_its_own_luck() -> None:
    torch.manual_seed(1)
    kept = torch.stack([Dropout(0.5)(torch.ones(64)) > 0 for _ in range(400)]).float()
    assert (kept.mean(0) - 0.5).abs().max() < 0.15
    apart = torch.corrcoef(kept.t()) - torch.eye(64)
    assert apart.abs().max() < 0.3


def test_the_gradient_goes_where_something_was_kept() -> None:
    torch.manual_seed(1)
    x = torch.ones(50, requires_grad=True)
    dropped = Dropout(0.5)(x)
    dropped.sum().backward()
    torch.testing.assert_close(x.grad, dropped.detach())


def test_nothing_is_dropped_when_not_training_or_with_no_share_and_all_with_the_whole() -> None:
    x = torch.ones(9)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert not Dropout(1.0)(x).any()
