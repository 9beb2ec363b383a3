"""Label-smoothed cross-entropy that touches the (positions x vocabulary) array as seldom as possible.

Knows nothing of nets. torch's own backward of log-softmax took a quarter of a training step on AVX2; this one keeps the
probabilities of the forward pass, made some rows at a time, and turns them into the gradient in place (docs/log.md,
"training speed").
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Smoothed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, smoothing: float) -> Tensor:
        """Per-position loss (N,) of logits (N, V), in fp32 where these are bf16, against target (N,)."""
        vocabulary = logits.shape[1]
        probabilities = torch.empty_like(logits)
        wide = torch.promote_types(logits.dtype, torch.float32)
        losses = torch.empty(len(logits), dtype=wide)
        for start in range(0, len(logits), max(1, CACHE // vocabulary)):
            some = slice(start, start + max(1, CACHE // vocabulary))
            part = logits[some].to(wide)
            part = part - part.amax(1, keepdim=True)
            at_target, mean = part.gather(1, target[some, None])[:, 0], part.mean(1)
            total = part.exp_().sum(1, keepdim=True)
            probabilities[some] = part.div_(total)
            losses[some] = total.log()[:, 0] - (1 - smoothing) * at_target - smoothing * mean
        ctx.save_for_backward(probabilities, target)
        ctx.smoothing = smoothing
        return losses

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """p - (1 - e) onehot - e / V, scaled by the incoming gradient (N,)."""
        probabilities, target = ctx.saved_tensors
        scale = grads[0][:, None].to(probabilities.dtype)
        gradient = probabilities.sub_(ctx.smoothing / probabilities.shape[1]).mul_(scale)
        gradient.scatter_add_(1, target[:, None], scale * (ctx.smoothing - 1))
        return gradient, None, None


CACHE = 1 << 18  # numbers of some rows that stay in a core's second-level cache: 1 MiB


def smoothed_cross_entropy(logits: Tensor, target: Tensor, smoothing: float = 0.1) -> Tensor:
    """Cross-entropy per position against (1 - smoothing) on the target and the rest spread evenly.

    logits (N, V), target (N,) -> (N,). Szegedy et al. 2016, §7. May be differentiated once.
    """
    loss: Tensor = _Smoothed.apply(logits, target, smoothing)
    return loss
