"""Additive attention: e_ij = v · tanh(W s_{i-1} + U h_j) (Bahdanau et al. 2015, §3.1 and A.1.2).

Knows nothing of the nets that use it.

Training takes the same energies from a function with its own gradient: torch's tanh costs three times its sigmoid on
AVX2, and the (B, K, S, A) array is the largest of a captioner, so it is walked in cache, some requests at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from models.attention import Attention
from models.deferred import Deferred


class Additive(Attention):
    """Bahdanau's alignment model a(s_{i-1}, h_j), a one-layer perceptron shared by all positions."""

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        super().__init__(memory_width, query_width, attention_width)
        self.key = nn.Linear(memory_width, attention_width)  # U_a, with the layer's bias
        self.query = Deferred(query_width, attention_width, bias=False)  # W_a
        self.energy = nn.Linear(attention_width, 1, bias=False)  # v_a

    def project(self, memory: Tensor) -> Tensor:
        """Keys (B, S, A), in the type that energies are counted in, also where products are in bf16."""
        return super().project(memory).to(self.energy.weight.dtype)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Energies (B, K, S); keys are broadcast over the K rows, never copied."""
        if torch.is_grad_enabled():
            v = self.energy.weight[0]
            energies: Tensor = _Energies.apply(self.query(query).to(v.dtype), keys, v)
            return energies
        hidden = torch.tanh(self.query(query)[:, :, None, :] + keys[:, None, :, :])  # (B, K, S, A)
        return self.energy(hidden)[..., 0]


class _Energies(torch.autograd.Function):
    """v · tanh(q + k) by way of tanh(x) = 2 σ(2x) − 1, whose slope is 4 σ (1 − σ)."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
        """query (B, K, A), keys (B, S, A), v (A,) -> energies (B, K, S)."""
        (requests, rows, width), places = query.shape, keys.shape[1]
        sigma = query.new_empty(requests, rows, places, width)
        energies = query.new_empty(requests, rows, places)
        doubled = 2 * query
        for some in in_cache(requests, rows * places * width):
            torch.add(doubled[some][:, :, None], keys[some][:, None], alpha=2, out=sigma[some]).sigmoid_()
            torch.mv(sigma[some].view(-1, width), v, out=energies[some].view(-1))
        ctx.save_for_backward(sigma, v)
        return energies.mul_(2).sub_(v.sum())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of query, keys and v from that of the energies, (B, K, S)."""
        grad, (sigma, v) = grads[0].contiguous(), ctx.saved_tensors
        requests, rows, places, width = sigma.shape
        for_query, for_keys = grad.new_empty(requests, rows, width), grad.new_empty(requests, places, width)
        for_v = grad.new_zeros(width)
        for some in in_cache(requests, rows * places * width):
            part, wanted = sigma[some], grad[some]
            for_v.add_(torch.mv(part.view(-1, width).t(), wanted.view(-1)), alpha=2)
            slope = torch.addcmul(part, part, part, value=-1).mul_(wanted[..., None])
            torch.sum(slope, 2, out=for_query[some])
            torch.sum(slope, 1, out=for_keys[some])
        return for_query.mul_(4 * v), for_keys.mul_(4 * v), for_v.sub_(grad.sum())


CACHE = 1 << 16  # numbers of which two arrays stay in the second-level cache of a core: 256 KiB each


def in_cache(requests: int, each: int) -> Iterator[slice]:
    """Some requests after others, as many at once as the cache holds, each of so many numbers; one at the least."""
    some = max(1, CACHE // each)
    return (slice(start, start + some) for start in range(0, requests, some))
