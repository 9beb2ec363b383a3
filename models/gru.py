"""Gated recurrent units with gradients of their own: a cell, and nn.GRU in both directions at once.

Cho et al. 2014, as cuDNN has it (reset after the product). Knows nothing of nets. The numbers are those of the same
operations left to autograd; there, every gate's gradient is a whole array of zeros with a third of it filled, and the
encoder's weights have a gradient a step (docs/log.md, "a loop's gradients").
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Cell(torch.autograd.Function):
    """gates, from_state (…, 3H) in the order reset, update, candidate; state (…, H) -> the new state (…, H)."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, from_state: Tensor, state: Tensor) -> Tensor:
        made = moved(gates.to(state.dtype), from_state.to(state.dtype), state)
        ctx.save_for_backward(*made[:4], state)
        ctx.dtypes = gates.dtype, from_state.dtype
        return made[4]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        for_gates, for_state, kept = unmoved(grads[0], *ctx.saved_tensors)
        return for_gates.to(ctx.dtypes[0]), for_state.to(ctx.dtypes[1]), kept


def moved(gates: Tensor, from_state: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Reset, update, candidate, what the reset lets through or not, and the new state, (…, H) each."""
    width = state.shape[-1]
    reset, update = torch.sigmoid(gates[..., : 2 * width] + from_state[..., : 2 * width]).split(width, -1)
    through = from_state[..., 2 * width :]
    candidate = torch.addcmul(gates[..., 2 * width :], reset, through).tanh_()
    return reset, update, candidate, through, torch.lerp(candidate, state, update)


def unmoved(
    gradient: Tensor, reset: Tensor, update: Tensor, candidate: Tensor, through: Tensor, state: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of gates and from_state (…, 3H), and of the state by the update gate alone (…, H)."""
    kept = gradient * update
    of_candidate = (gradient - kept).mul_(1 - candidate.square())
    of_update = (state - candidate).mul_(kept).mul_(1 - update)
    of_reset = (of_candidate * through).mul_(reset).mul_(1 - reset)
    return (
        torch.cat([of_reset, of_update, of_candidate], -1),
        torch.cat([of_reset, of_update, of_candidate * reset], -1),
        kept,
    )


def bidirectional(gru: nn.GRU, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """What a one-layer nn.GRU says to x (B, S, E), of which mask (B, S) is true: memory (B, S, 2H), last (2, B, H).

    As with packed sequences: nothing is read of what is padding, and its memory is zero.
    """
    weights = [[getattr(gru, f"{kind}_l0{way}") for way in ("", "_reverse")] for kind in PARAMETERS]
    inputs, recurrent, input_bias, recurrent_bias = (torch.stack(pair) for pair in weights)
    gates = nn.functional.linear(x, inputs.flatten(0, 1), input_bias.flatten()).unflatten(-1, (2, -1))
    order = torch.stack([gates[:, :, 0], gates[:, :, 1].flip(1)]).transpose(1, 2).transpose(0, 1)  # (S, 2, B, 3H)
    real = mask.t().to(recurrent.dtype)
    states = _Both.apply(order.contiguous(), recurrent, recurrent_bias, torch.stack([real, real.flip(0)], 1)[..., None])
    memory = torch.cat([states[:, 0], states[:, 1].flip(0)], -1).transpose(0, 1)
    return memory * mask[..., None], states[-1]


PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class _Both(torch.autograd.Function):
    """gates (S, 2, B, 3H), weight (2, 3H, H), bias (2, 3H), real (S, 2, B, 1) -> states (S, 2, B, H).

    A state stays as it was where nothing is real.
    """

    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, bias: Tensor, real: Tensor) -> Tensor:
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else weight.dtype
        steps, ways, requests, _ = gates.shape
        states = weight.new_zeros(steps + 1, ways, requests, weight.shape[2])
        turned, shift, seen = weight.to(dtype).transpose(1, 2), bias[:, None].to(dtype), []
        for step in range(steps):
            from_state = torch.baddbmm(shift, states[step].to(dtype), turned)
            *made, new = moved(gates[step].to(weight.dtype), from_state.to(weight.dtype), states[step])
            torch.lerp(states[step], new, real[step], out=states[step + 1])
            seen.append(made)
        ctx.save_for_backward(states, weight.to(dtype), real)
        ctx.seen, ctx.dtype = seen, gates.dtype
        return states[1:]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        states, weight, real = ctx.saved_tensors
        coming = torch.zeros_like(states[0])
        for_gates, for_state = [], []
        for step in reversed(range(len(real))):
            coming = coming + grads[0][step]
            moving = coming * real[step]
            reset, update, candidate, through = ctx.seen[step]
            of_gates, of_state, kept = unmoved(moving, reset, update, candidate, through, states[step])
            of_state = of_state.to(weight.dtype)
            coming = (coming - moving).add_(kept).add_(torch.bmm(of_state, weight))
            for_gates.append(of_gates.to(ctx.dtype))
            for_state.append(of_state)
        return torch.stack(for_gates[::-1]), *_of_weights(torch.stack(for_state[::-1], 1), states), None


def _of_weights(for_state: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of weight and bias: for_state (2, S, B, 3H), states (S + 1, 2, B, H)."""
    gradient = for_state.flatten(1, 2)
    before = states[:-1].transpose(0, 1).flatten(1, 2).to(gradient.dtype)
    return torch.bmm(gradient.transpose(1, 2), before).float(), gradient.sum(1, dtype=torch.float32)
