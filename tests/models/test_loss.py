"""Our loss is torch's, value and gradient."""

from __future__ import annotations

import pytest
import torch

from models.loss import smoothed_cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_value_and_gradient_are_those_of_torch(smoothing: float) -> None:
    torch.manual_seed(1)
    logits = (5 * torch.randn(7, 11)).requires_grad_()
    target, weight = torch.randint(0, 11, (7,)), torch.rand(7)
    ours = (smoothed_cross_entropy(logits, target, smoothing) * weight).sum()
    (gradient,) = torch.autograd.grad(ours, logits)
    theirs = torch.nn.functional.cross_entropy(logits, target, label_smoothing=smoothing, reduction="none")
    (expected,) = torch.autograd.grad((theirs * weight).sum(), logits)
    torch.testing.assert_close(ours, (theirs * weight).sum())
    torch.testing.assert_close(gradient, expected)


def test_rows_of_many_pieces_are_taken_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.loss.CACHE", 25)  # two rows of eleven, and one left over
    test_value_and_gradient_are_those_of_torch(0.1)


def test_scores_in_bf16_give_a_loss_in_fp32() -> None:
    torch.manual_seed(1)
    logits = torch.randn(7, 11).bfloat16().requires_grad_()
    target = torch.randint(0, 11, (7,))
    losses = smoothed_cross_entropy(logits, target, 0.1)
    expected = torch.nn.functional.cross_entropy(logits.float(), target, label_smoothing=0.1, reduction="none")
    torch.testing.assert_close(losses, expected)
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert gradient.dtype == torch.bfloat16


def test_very_large_scores_stay_finite() -> None:
    logits = torch.tensor([[1e4, 0.0, -1e4]], requires_grad=True)
    loss = smoothed_cross_entropy(logits, torch.tensor([2]), 0.0)
    assert loss.item() == pytest.approx(2e4)
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert torch.isfinite(gradient).all()
