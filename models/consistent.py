"""Two passes over the same sentences, with other places dropped, are to say the same: R-Drop.

Liang et al. 2021, "R-Drop: Regularized Dropout for Neural Networks", §2.1. Knows nothing of nets. A net that has seen
its few sentences many times learns little from another pass, but its two halves of a pass still differ: that is a
second teacher. Costs a second pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from models.loss import CACHE


class _Consistent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, smoothing: float, weight: float) -> Tensor:
        """Makes the gradient at once, some rows at a time, while the probabilities are in the core's cache."""
        count, vocabulary = len(target), logits.shape[1]
        gradient = torch.empty_like(logits)
        losses = torch.empty(count, dtype=torch.promote_types(logits.dtype, torch.float32))
        rows = max(1, CACHE // (2 * vocabulary))
        for start in range(0, count, rows):
            places = slice(start, min(start + rows, count))
            again = slice(count + places.start, count + places.stop)
            one, other = (logits[some].to(losses.dtype).log_softmax(1) for some in (places, again))
            p, q, gap = one.exp(), other.exp(), one - other
            forth, back = (p * gap).sum(1, keepdim=True), -(q * gap).sum(1, keepdim=True)
            wanted = torch.full_like(p, smoothing / vocabulary)
            wanted.scatter_add_(1, target[places, None], torch.full_like(forth, 1 - smoothing))
            losses[places] = -0.5 * (wanted * (one + other)).sum(1) + 0.5 * weight * (forth + back)[:, 0]
            gradient[places] = 0.5 * (p - wanted + weight * (p * (gap - forth) + p - q))
            gradient[again] = 0.5 * (q - wanted + weight * (q * (-gap - back) + q - p))
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        """The gradient, scaled by the incoming one (N,) of each position, whose two passes share it."""
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(grads[0].repeat(2)[:, None].to(gradient.dtype)), None, None, None


def consistent_cross_entropy(logits: Tensor, target: Tensor, smoothing: float, weight: float) -> Tensor:
    """Mean smoothed cross-entropy of two passes, and how far they are apart: equations 1 to 4.

    logits (2N, V): a first pass over N positions and a second over the same; target (N,) -> (N,). Apart is half the
    sum of both Kullback-Leibler divergences, in nats, and counts `weight` times. May be differentiated once.
    """
    loss: Tensor = _Consistent.apply(logits, target, smoothing, weight)
    return loss
