"""R-Drop's loss and gradient are what torch makes of the formula."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, kl_div

from models import consistent
from models.consistent import consistent_cross_entropy
from models.loss import smoothed_cross_entropy
from models.train import Run
from tests.models.test_train import data, recipe

__all__ = ["data"]  # the toy corpus, a fixture


def by_torch(logits: torch.Tensor, target: torch.Tensor, smoothing: float, weight: float) -> torch.Tensor:
    one, other = logits.chunk(2)
    entropy = cross_entropy(logits, target.repeat(2), label_smoothing=smoothing, reduction="none").chunk(2)
    first, second = one.log_softmax(1), other.log_softmax(1)
    forth = kl_div(second, first, log_target=True, reduction="none").sum(1)
    back = kl_div(first, second, log_target=True, reduction="none").sum(1)
    return (entropy[0] + entropy[1]) / 2 + weight * (forth + back) / 2


@pytest.mark.parametrize("cache", [20, 1 << 18])  # one row at a time, and all at once
@pytest.mark.parametrize("weight", [0.0, 2.5])
def test_the_loss_and_its_gradient_are_the_formula(monkeypatch, cache: int, weight: float) -> None:
    monkeypatch.setattr(consistent, "CACHE", cache)
    torch.manual_seed(1)
    logits, target = torch.randn(14, 11, dtype=torch.float64) * 3, torch.randint(11, (7,))
    share = torch.rand(7, dtype=torch.float64)
    found, wanted = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    losses, meant = consistent_cross_entropy(found, target, 0.1, weight), by_torch(wanted, target, 0.1, weight)
    (losses * share).sum().backward()
    (meant * share).sum().backward()
    torch.testing.assert_close(losses, meant)
    torch.testing.assert_close(found.grad, wanted.grad)


def test_two_passes_that_agree_cost_what_one_costs() -> None:
    torch.manual_seed(1)
    once, target = torch.randn(5, 9), torch.randint(9, (5,))
    losses = consistent_cross_entropy(once.repeat(2, 1), target, 0.1, 5.0)
    torch.testing.assert_close(losses, smoothed_cross_entropy(once, target, 0.1))


def test_half_precision_keeps_its_gradient_near() -> None:
    torch.manual_seed(1)
    logits, target = torch.randn(8, 9).bfloat16(), torch.randint(9, (4,))
    found, wanted = logits.clone().requires_grad_(), logits.float().requires_grad_()
    consistent_cross_entropy(found, target, 0.1, 2.5).mean().backward()
    by_torch(wanted, target, 0.1, 2.5).mean().backward()
    assert found.grad is not None and found.grad.dtype == torch.bfloat16
    torch.testing.assert_close(found.grad.float(), wanted.grad, atol=4e-3, rtol=0.02)


def first_loss(data: Path, out: Path, dropout: float, **part: Any) -> float:
    made = recipe(steps=1)
    made["net"] = {"kind": "transformer", "width": 16, "heads": 2, "inner": 16, "dropout": dropout}
    made["data"] |= part
    task = Run(made, data, out).task
    torch.manual_seed(5)
    loss, _ = task.loss(next(iter(task.batches(0, np.random.default_rng(1)))))
    return loss.item()


@pytest.mark.parametrize("part", [{}, {"negatives": 20}])
def test_a_recipe_asks_for_two_passes_that_differ_by_what_is_dropped(data: Path, tmp_path: Path, part: Any) -> None:
    losses = [
        first_loss(data, tmp_path / f"{dropout}-{weight}", dropout, r_drop=weight, **part)
        for dropout in (0.0, 0.5)
        for weight in (0.0, 1e-9, 100.0)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5) == pytest.approx(losses[2], rel=1e-5)
    assert losses[5] > losses[4] * 1.2, "where places are dropped, two passes differ"


def test_a_recipe_with_a_guide_and_two_passes_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="guide or r_drop"):
        first_loss(data, tmp_path, 0.1, guide=0.1, r_drop=2.5)
