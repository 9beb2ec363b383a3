"""Label-smoothed cross-entropy that touches the (positions x vocabulary) array as seldom as possible.

Knows nothing of nets. torch's own backward of log-softmax took a quarter of a training step on AVX2;
this one keeps the probabilities of the forward pass and turns them into the gradient in place
(docs/log.md, "training speed").
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Smoothed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, smoothing: float) -> Tensor:
        """Per-position loss (N,) of logits (N, V) against target (N,)."""
        vocabulary = logits.shape[1]
        peak = logits.amax(1, keepdim=True)
        at_target = logits.gather(1, target[:, None])[:, 0]
        mean = logits.mean(1)
        probabilities = (logits - peak).exp_()
        total = probabilities.sum(1, keepdim=True)
        ctx.save_for_backward(probabilities, total, target)
        ctx.smoothing, ctx.vocabulary = smoothing, vocabulary
        log_total = total.log()[:, 0] + peak[:, 0]
        return log_total - (1 - smoothing) * at_target - smoothing * mean

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """p - (1 - e) onehot - e / V, scaled by the incoming gradient (N,)."""
        probabilities, total, target = ctx.saved_tensors
        scale = grads[0][:, None]
        gradient = probabilities.mul_(scale / total).sub_(scale * (ctx.smoothing / ctx.vocabulary))
        gradient.scatter_add_(1, target[:, None], scale * (ctx.smoothing - 1))
        return gradient, None, None


def smoothed_cross_entropy(logits: Tensor, target: Tensor, smoothing: float = 0.1) -> Tensor:
    """Cross-entropy per position against (1 - smoothing) on the target and the rest spread evenly.

    logits (N, V), target (N,) -> (N,). Szegedy et al. 2016, §7. May be differentiated once.
    """
    loss: Tensor = _Smoothed.apply(logits.float() if logits.dtype == torch.bfloat16 else logits, target, smoothing)
    return loss
