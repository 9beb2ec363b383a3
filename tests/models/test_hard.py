"""Hard attention: the estimator against the exact gradient, what is drawn, what is looked at, and what it learns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from models.hard import Bound, Places, estimate, pick, to_go, word_losses
from models.nets.captioner import Captioner
from models.scst import Rewards, draw, self_critical

PLACES, STEPS = 3, 2


@pytest.fixture
def net() -> Captioner:
    torch.manual_seed(1)
    return Captioner(9, hard=True, memory=5, embedding=4, decoder=6, attention_width=5).eval().double()


@pytest.fixture
def features() -> torch.Tensor:
    torch.manual_seed(2)
    return torch.rand(1, PLACES, 1280, dtype=torch.double) * 3


GIVEN, TARGET = torch.tensor([[[2, 5]]]), torch.tensor([[[5, 7]]])
KNOWN = torch.ones(1, 1, STEPS, dtype=torch.bool)


def walked(net: Captioner, features: torch.Tensor, places: tuple[int, ...]) -> tuple[Places, torch.Tensor]:
    """The losses of the two words where these places are looked at."""
    drawn = Places(given=[torch.tensor([[place]]) for place in places])
    return drawn, word_losses(net, features, GIVEN, TARGET, KNOWN, 0.0, drawn)


def test_the_estimator_is_right_on_average_over_every_way_to_look(net: Captioner, features: torch.Tensor) -> None:
    """Exact on both sides: all 9 sequences of places are walked, so that nothing is left to chance."""
    exact = torch.zeros((), dtype=torch.double)
    estimated = [torch.zeros_like(one) for one in net.parameters()]  # summed up below
    baseline = torch.tensor([0.7, -1.3], dtype=torch.double)  # any: it must not matter
    for places in itertools.product(range(PLACES), repeat=STEPS):
        drawn, losses = walked(net, features, places)
        probability = torch.exp(-torch.stack(drawn.surprises).sum())
        exact = exact + probability * losses.sum()
        drawn, losses = walked(net, features, places)  # again: the loss may be differentiated once
        estimated_loss = estimate(losses, drawn, KNOWN, baseline, 1.0, 0.0) * STEPS
        gradient = torch.autograd.grad(estimated_loss, list(net.parameters()), allow_unused=True)
        shares = [probability.detach() * (0 if one is None else one) for one in gradient]
        estimated = [total + share for total, share in zip(estimated, shares, strict=True)]
    wanted = torch.autograd.grad(exact, list(net.parameters()), allow_unused=True)
    for one, other in zip(estimated, wanted, strict=True):
        torch.testing.assert_close(one, torch.zeros_like(one) if other is None else other, atol=1e-9, rtol=1e-6)
    assert net.attention.key is not None
    by_place = wanted[[name for name, _ in net.named_parameters()].index("attention.key.weight")]
    assert by_place is not None and by_place.abs().max() > 1e-6, "where it looks must matter, or nothing was tested"


def test_the_entropy_keeps_it_looking_around(net: Captioner, features: torch.Tensor) -> None:
    drawn, losses = walked(net, features, (0, 1))
    weights = net.unroll(features, GIVEN, Places(given=[torch.tensor([[0]]), torch.tensor([[1]])]))[3]
    by_hand = -(weights * weights.log()).sum()
    without, with_it = (estimate(losses, drawn, KNOWN, torch.zeros(STEPS), 0.0, share) for share in (0.0, 1.0))
    torch.testing.assert_close((without - with_it) * STEPS, by_hand)


def test_a_place_is_rewarded_for_the_words_from_its_own_on() -> None:
    losses = torch.tensor([[[1.0, 2.0, 4.0]]])
    assert to_go(losses).tolist() == [[[-7.0, -6.0, -4.0]]]


def test_rows_that_see_the_expected_context_draw_nothing() -> None:
    weights = torch.tensor([[[0.2, 0.8], [0.2, 0.8]]])
    places = Places(expected=torch.tensor([[True, False]]))
    taken = places(weights)
    torch.testing.assert_close(taken[0, 0], weights[0, 0])
    assert sorted(taken[0, 1].tolist()) == [0.0, 1.0]
    assert places.surprises[0][0, 0] == 0 and places.surprises[0][0, 1] > 0


def test_draws_are_as_frequent_as_they_are_likely() -> None:
    torch.manual_seed(3)
    drawn = pick(torch.tensor([0.1, 0.0, 0.6, 0.3]).expand(20000, 4)).bincount(minlength=4) / 20000
    torch.testing.assert_close(drawn, torch.tensor([0.1, 0.0, 0.6, 0.3]), atol=0.02, rtol=0)


def test_the_baseline_follows_what_is_usual() -> None:
    bound, known = Bound(decay=0.9), torch.ones(1, 1, 2, dtype=torch.bool)
    first = bound._baseline(torch.tensor([[[-4.0, -2.0]]]), known)
    second = bound._baseline(torch.tensor([[[-14.0, -2.0]]]), known)
    third = bound._baseline(torch.tensor([[[-5.0, -2.0, -1.0]]]), torch.ones(1, 1, 3, dtype=torch.bool))
    assert (first.tolist(), second.tolist()) == ([-4.0, -2.0], [-4.0, -2.0])
    torch.testing.assert_close(third, torch.tensor([-5.0, -2.0, -1.0]))


def test_when_nothing_is_drawn_the_context_is_the_likeliest_place_alone(net: Captioner, features: torch.Tensor) -> None:
    with torch.no_grad():
        _, _, contexts, weights = net.unroll(features, GIVEN)
        memory, _, first, _ = net.begin(features)
    gate = torch.sigmoid(net.gate(first))
    torch.testing.assert_close(contexts[0, 0, 0], gate[0] * memory[0, weights[0, 0, 0].argmax()])


def test_it_learns_where_to_look() -> None:
    """The word is written on one of two places, and which one is in the picture's other half of numbers."""
    torch.manual_seed(4)
    net, bound = Captioner(7, hard=True, memory=16, embedding=8, decoder=16, attention_width=8), Bound(reinforce=1.0)
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    given, known = torch.full((24, 1, 1), 2), torch.ones(24, 1, 1, dtype=torch.bool)
    for _ in range(200):
        word, place = torch.randint(4, 7, (24,)), torch.randint(0, 2, (24,))
        picture = torch.zeros(24, 2, 1280)
        picture[torch.arange(24), place, 0] = 6.0
        picture[torch.arange(24), place, word] = 6.0
        picture[torch.arange(24), 1 - place, torch.randint(4, 7, (24,))] = 6.0  # a word that is not meant
        loss = bound.loss(net, picture, given, word[:, None, None], known, 0.0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    looked = net.eval().unroll(picture, given)[3][:, 0, 0].argmax(-1)
    assert (looked == place).float().mean() > 0.9


def test_draws_of_captions_look_at_drawn_places_and_earn_for_them() -> None:
    torch.manual_seed(5)
    net = Captioner(16, hard=True, memory=8, embedding=6, decoder=10, attention_width=7)
    drawn = draw(net.eval(), torch.rand(2, 4, 1280), rows=3, longest=5)
    assert (drawn.looked[drawn.real] > 0).all()
    rewards = Rewards([[[5, 6, 3]], [[7, 8, 3]]], bleu_weight=1.0)
    loss, _, _ = self_critical(net, torch.rand(2, 4, 1280) * 3, np.arange(2), rewards, 5, 0.0)
    loss.backward()
    assert net.attention.key is not None and net.attention.key.weight.grad is not None
    assert net.attention.key.weight.grad.abs().sum() > 0
