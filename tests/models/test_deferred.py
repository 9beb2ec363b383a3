"""Gradients that are made after a loop are those that autograd makes within it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from models.deferred import Deferred, Mix, deferred


class Looping(nn.Module):
    """A loop that multiplies with the same weights and the same memory at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.biased, self.plain, self.mix = Deferred(4, 4), Deferred(4, 3, bias=False), Mix()
        self.unused = Deferred(2, 2)

    def forward(self, state: Tensor, memory: Tensor) -> Tensor:
        """state (B, 1, 4), memory (B, 3, 4) -> (B, 1, 4)."""
        for _ in range(3):
            weights = torch.softmax(self.plain(state), -1)
            state = torch.tanh(self.biased(state) + self.mix(weights, memory))
        return state


def gradients(net: Looping, run: Callable[[Tensor, Tensor], Tensor]) -> dict[str, Tensor | None]:
    """Of every weight, of the first state and of the memory."""
    torch.manual_seed(2)
    state, memory = torch.randn(2, 1, 4, requires_grad=True), torch.randn(2, 3, 4, requires_grad=True)
    net.zero_grad()
    run(state, memory).square().sum().backward()
    return {"state": state.grad, "memory": memory.grad, **{name: one.grad for name, one in net.named_parameters()}}


@pytest.fixture
def net() -> Looping:
    torch.manual_seed(1)
    return Looping()


def test_gradients_are_those_of_the_loop_left_to_autograd(net: Looping) -> None:
    def within(state: Tensor, memory: Tensor) -> Tensor:
        with deferred(net, memory):
            return net.forward(state, memory)

    expected, found = gradients(net, net), gradients(net, within)
    for name, gradient in expected.items():
        if name.startswith("unused"):
            assert gradient is None and found[name] is None
        else:
            torch.testing.assert_close(found[name], gradient)


def test_in_bf16_gradients_are_near_and_weights_keep_their_type(net: Looping) -> None:
    def within(state: Tensor, memory: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16), deferred(net, memory):
            return net.forward(state, memory).float()

    expected, found = gradients(net, net), gradients(net, within)
    assert found["biased.weight"] is not None and found["biased.weight"].dtype == torch.float32
    torch.testing.assert_close(found["biased.weight"], expected["biased.weight"], rtol=0.05, atol=0.05)


def test_a_net_in_double_precision_stays_there(net: Looping) -> None:
    net, memory = net.double(), torch.randn(2, 3, 4).double()
    with deferred(net, memory):
        said = net.forward(torch.randn(2, 1, 4).double(), memory)
    said.sum().backward()
    assert said.dtype == torch.float64
    assert net.biased.weight.grad is not None and net.biased.weight.grad.dtype == torch.float64


def test_nothing_is_put_aside_where_no_gradient_is_wanted(net: Looping) -> None:
    state, memory = torch.ones(2, 1, 4), torch.ones(2, 3, 4)
    with torch.no_grad(), deferred(net, memory):
        assert net.biased.opened is None
        torch.testing.assert_close(net(state, memory), net(state, memory))


def test_layers_are_plain_again_after_an_error_in_the_loop(net: Looping) -> None:
    with pytest.raises(RuntimeError, match="stop"), deferred(net, torch.ones(2, 3, 4)):
        raise RuntimeError("stop")
    assert net.biased.opened is None and net.mix.opened is None
