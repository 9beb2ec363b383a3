"""What a loop multiplies with at every step, whose gradient is one product after the last step instead of one a step.

Knows nothing of nets. Left to itself, autograd makes the gradient of a decoder's weights anew at every step, from few
rows, and adds it to the last one's: on a CPU that was half of a recurrent net's training (docs/log.md, "a loop's
gradients"). Inside `deferred`, layers and memories put aside what each step leaves, and multiply once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Left = list[tuple[Tensor, Tensor]]  # what went into a product, and the gradient of what came out, a step each


class Deferred(nn.Linear):
    """A linear layer that a loop calls at every step; outside of `deferred` it is nn.Linear."""

    opened: tuple[Tensor, Tensor | None, Left] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.opened is None:
            return super().forward(x)
        made: Tensor = _Step.apply(x, *self.opened)
        return made


class Mix(nn.Module):
    """weights (B, K, S) times a memory (B, S, M), which stays the same at every step -> (B, K, M)."""

    opened: tuple[Tensor, Left] | None = None

    def forward(self, weights: Tensor, memory: Tensor) -> Tensor:
        if self.opened is None:
            return torch.matmul(weights, memory)
        made: Tensor = _Mixed.apply(weights, *self.opened)
        return made


@contextmanager
def deferred(net: nn.Module, memory: Tensor) -> Iterator[None]:
    """Meanwhile, the Deferred layers of a net and its Mix, which is of this memory, make their gradients at the end.

    Does nothing where no gradient is wanted.
    """
    if not torch.is_grad_enabled():
        yield
        return
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None
    layers = [layer for layer in net.modules() if isinstance(layer, Deferred | Mix)]
    for layer in layers:
        left: Left = []
        if isinstance(layer, Mix):
            layer.opened = (_Memory.apply(memory, left, dtype or memory.dtype), left)
        else:
            layer.opened = (*_Weights.apply(layer.weight, layer.bias, left, dtype or layer.weight.dtype), left)
    try:
        yield
    finally:
        for layer in layers:
            layer.opened = None


class _Weights(torch.autograd.Function):
    """Weight (N, D) and bias (N,) for a loop. autograd comes back here when all steps have left their gradients."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor | None, left: Left, dtype: torch.dtype) -> Any:
        ctx.left, ctx.biased, ctx.dtype = left, bias is not None, weight.dtype
        ctx.set_materialize_grads(False)
        return weight.to(dtype, copy=True), None if bias is None else bias.to(dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        if not ctx.left:
            return None, None, None, None
        x, gradient = (torch.cat([pair[i] for pair in ctx.left]) for i in range(2))
        ctx.left.clear()
        bias = gradient.sum(0, dtype=ctx.dtype) if ctx.biased else None
        return (gradient.t() @ x).to(ctx.dtype), bias, None, None


class _Step(torch.autograd.Function):
    """x (…, D) -> (…, N)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, left: Left) -> Tensor:
        ctx.dtype, ctx.left, x = x.dtype, left, x.to(weight.dtype)
        ctx.save_for_backward(x, weight)
        return nn.functional.linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        x, weight = ctx.saved_tensors
        gradient = grads[0].to(weight.dtype)
        ctx.left.append((x.flatten(0, -2), gradient.flatten(0, -2)))
        return (gradient @ weight).to(ctx.dtype), None, None, None


class _Memory(torch.autograd.Function):
    """A memory (B, S, M) for a loop; as `_Weights`."""

    @staticmethod
    def forward(ctx: Any, memory: Tensor, left: Left, dtype: torch.dtype) -> Tensor:
        ctx.left, ctx.dtype = left, memory.dtype
        ctx.set_materialize_grads(False)
        return memory.to(dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        if not ctx.left:
            return None, None, None
        weights, gradient = (torch.cat([pair[i] for pair in ctx.left], 1) for i in range(2))
        ctx.left.clear()
        return (weights.transpose(1, 2) @ gradient).to(ctx.dtype), None, None


class _Mixed(torch.autograd.Function):
    """weights (B, K, S) -> (B, K, M)."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, memory: Tensor, left: Left) -> Tensor:
        ctx.dtype, ctx.left, weights = weights.dtype, left, weights.to(memory.dtype)
        ctx.save_for_backward(weights, memory)
        return weights @ memory

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        weights, memory = ctx.saved_tensors
        gradient = grads[0].to(memory.dtype)
        ctx.left.append((weights, gradient))
        return (gradient @ memory.transpose(1, 2)).to(ctx.dtype), None, None
