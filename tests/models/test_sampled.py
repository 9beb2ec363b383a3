"""A sampled vocabulary has every target, no piece twice, and the whole vocabulary's sum as its expectation."""

from __future__ import annotations

import torch

from models.sampled import draw, scores


def test_every_target_is_in_the_sample_at_its_place() -> None:
    target = torch.tensor([7, 3, 7, 99])
    sample, places = draw(target, 100, 20)
    assert sample.ids[places].tolist() == target.tolist()
    assert len(sample.ids) == 23 and len(sample.ids.unique()) == 23
    assert (sample.shift[places] == 0).all() and (sample.shift > 0).sum() == 20


def test_a_sample_of_all_is_the_whole_vocabulary() -> None:
    x, weight, bias = torch.randn(5, 4), torch.randn(30, 4), torch.randn(30)
    sample, _ = draw(torch.tensor([1, 2]), 30, 1000)
    assert torch.allclose(scores(x, weight, bias, sample), scores(x, weight, bias, None))


def test_on_average_the_sum_over_a_sample_is_the_sum_over_all() -> None:
    torch.manual_seed(1)
    x, weight, bias = torch.randn(1, 4), 0.5 * torch.randn(200, 4), torch.randn(200)
    whole = scores(x, weight, bias, None).exp().sum()
    drawn = [scores(x, weight, bias, draw(torch.tensor([5]), 200, 40)[0]).exp().sum() for _ in range(400)]
    assert abs(torch.stack(drawn).mean() / whole - 1) < 0.03


def test_too_few_others_are_all_drawn() -> None:
    sample, _ = draw(torch.arange(10), 10, 5)
    assert sample.ids.tolist() == list(range(10))
