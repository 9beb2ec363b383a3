"""Our recurrent units say what torch's say, and learn what torch's learn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.gru import Cell, bidirectional

MASK = torch.tensor([[True, True, True, True], [True, True, False, False], [True, False, False, False]])


def packed(gru: nn.GRU, x: Tensor) -> tuple[Tensor, Tensor]:
    """What nn.GRU says to sequences of different lengths."""
    memory, last = gru(pack_padded_sequence(x, MASK.sum(1), batch_first=True, enforce_sorted=False))
    return pad_packed_sequence(memory, batch_first=True)[0], last


def learned(gru: nn.GRU, x: Tensor, said: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Gradients of some cost of memory and last states: of x, and of the weights."""
    torch.manual_seed(3)
    cost = sum((one * torch.randn(one.shape)).sum() for one in said)
    assert isinstance(cost, Tensor)
    return list(torch.autograd.grad(cost, [x, *gru.parameters()]))


@pytest.fixture
def gru() -> nn.GRU:
    torch.manual_seed(1)
    return nn.GRU(5, 6, batch_first=True, bidirectional=True)


def test_both_directions_say_and_learn_what_packed_sequences_do(gru: nn.GRU) -> None:
    x = torch.randn(3, 4, 5, requires_grad=True)
    theirs, ours = packed(gru, x), bidirectional(gru, x, MASK)
    for expected, found in zip(theirs, ours, strict=True):
        torch.testing.assert_close(found, expected)
    for expected, found in zip(learned(gru, x, theirs), learned(gru, x, ours), strict=True):
        torch.testing.assert_close(found, expected)


def test_in_bf16_it_is_near_and_its_states_stay_exact_numbers(gru: nn.GRU) -> None:
    x = torch.randn(3, 4, 5, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        memory, last = bidirectional(gru, x, MASK)
    assert memory.dtype == torch.float32
    torch.testing.assert_close(last, packed(gru, x)[1], rtol=0.02, atol=0.02)
    assert all(gradient.dtype == torch.float32 for gradient in learned(gru, x, (memory, last)))


def test_a_cell_is_a_step_of_torchs() -> None:
    torch.manual_seed(1)
    theirs = nn.GRUCell(5, 6)
    x, state = torch.randn(3, 5, requires_grad=True), torch.randn(3, 6, requires_grad=True)
    gates = nn.functional.linear(x, theirs.weight_ih, theirs.bias_ih)
    ours = Cell.apply(gates, nn.functional.linear(state, theirs.weight_hh, theirs.bias_hh), state)
    expected = theirs(x, state)
    torch.testing.assert_close(ours, expected)
    inputs = [x, state, *theirs.parameters()]
    for one, other in zip(
        torch.autograd.grad(ours.square().sum(), inputs),
        torch.autograd.grad(expected.square().sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
