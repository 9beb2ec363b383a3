"""Additive attention against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from models.attention.additive import Additive


@pytest.fixture
def tiny() -> Additive:
    """One-dimensional memory, query and attention: e = v · tanh(w s + u h), with u = 1, w = 2, v = 3 and no bias."""
    net = Additive(1, 1, 1)
    with torch.no_grad():
        assert net.key is not None
        net.key.weight.fill_(1.0)
        net.key.bias.zero_()
        net.query.weight.fill_(2.0)
        net.energy.weight.fill_(3.0)
    return net


@pytest.mark.parametrize("learning", [False, True])
def test_weights_are_those_worked_out_by_hand_and_zero_at_the_padding(tiny: Additive, learning: bool) -> None:
    memory = torch.tensor([[[0.5], [-1.0], [9.0]]])  # the last position is padding
    query = torch.tensor([[[0.25]]])
    with torch.set_grad_enabled(learning):
        weights = tiny(query, tiny.project(memory), torch.tensor([[True, True, False]]))
    first, second = math.exp(3 * math.tanh(0.5 + 0.5)), math.exp(3 * math.tanh(0.5 - 1.0))
    expected = torch.tensor([[[first / (first + second), second / (first + second), 0.0]]])
    torch.testing.assert_close(weights, expected)


def test_rows_of_a_request_share_its_keys_and_requests_do_not() -> None:
    torch.manual_seed(1)
    net = Additive(4, 3, 5)
    memory, query = torch.randn(2, 6, 4), torch.randn(2, 3, 3)
    mask = torch.ones(2, 6, dtype=torch.bool)
    together = net(query, net.project(memory), mask)
    assert together.shape == (2, 3, 6)
    for b in range(2):
        for k in range(3):
            alone = net(query[b : b + 1, k : k + 1], net.project(memory[b : b + 1]), mask[:1])
            torch.testing.assert_close(together[b, k], alone[0, 0])


def test_the_gradient_of_the_training_path_is_that_of_plain_tanh() -> None:
    torch.manual_seed(2)
    net = Additive(4, 3, 5).double()
    memory = torch.randn(2, 6, 4, dtype=torch.double, requires_grad=True)
    query = torch.randn(2, 3, 3, dtype=torch.double, requires_grad=True)
    wanted = torch.randn(2, 3, 6, dtype=torch.double)
    parameters = [memory, query, *net.parameters()]
    ours = torch.autograd.grad((net.score(query, net.project(memory)) * wanted).sum(), parameters)
    hidden = torch.tanh(net.query(query)[:, :, None] + net.project(memory)[:, None])
    plain = torch.autograd.grad((net.energy(hidden)[..., 0] * wanted).sum(), parameters)
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one, other)
