"""A wider net begins by saying what the narrower one said, learns with its new units, and refuses what does not fit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.nets.transformer import TransformerTranslator
from models.nets.translator import RecurrentTranslator
from models.widen import fits, widened

NARROW: dict[str, Any] = {"embedding": 16, "encoder": 10, "decoder": 12, "attention_width": 8}


def net(seed: int = 1, **other: Any) -> RecurrentTranslator:
    torch.manual_seed(seed)
    made = RecurrentTranslator(50, **{**NARROW, **other}, dropout_embedding=0, dropout_memory=0, dropout_output=0)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return made


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randint(4, 50, (3, 7)), torch.randint(4, 50, (3, 5))


@pytest.mark.parametrize("wider", [{"encoder": 13}, {"decoder": 19}, {"encoder": 17, "decoder": 13}])
def test_a_wider_net_says_the_same_and_looks_at_the_same_places(wider: dict[str, int]) -> None:
    small, large = net(), net(2, **wider)
    source, given = batch()
    assert fits(small.state_dict(), large.state_dict())
    large.load_state_dict(widened(small.state_dict(), large.state_dict()))
    for ours, theirs in zip(large(source, given), small(source, given), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def transformer(seed: int, **other: Any) -> TransformerTranslator:
    torch.manual_seed(seed)
    made = TransformerTranslator(50, **{"width": 16, "heads": 2, "inner": 12, **other}, dropout=0)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return made


def test_a_transformer_with_more_in_its_feed_forward_networks_says_the_same_and_learns_with_it() -> None:
    small, large = transformer(1), transformer(2, inner=20)
    source, given = batch()
    assert fits(small.state_dict(), large.state_dict())
    large.load_state_dict(widened(small.state_dict(), large.state_dict()))
    torch.testing.assert_close(large(source, given), small(source, given), atol=1e-4, rtol=1e-4)
    large(source, given).square().mean().backward()
    for layer in (*large.encoder, *large.decoder):
        new = layer.inner[3].weight
        assert not new[:, 12:].any()
        assert new.grad is not None and new.grad[:, 12:].any()


@pytest.mark.parametrize("other", [{}, {"inner": 8}, {"width": 32, "inner": 20}, {"decoder_layers": 5, "inner": 20}])
def test_a_transformer_that_differs_in_something_else_does_not_fit(other: dict[str, int]) -> None:
    assert not fits(transformer(1).state_dict(), transformer(2, **other).state_dict())


def test_its_new_units_learn_to_be_heard_at_once() -> None:
    small, large = net(), net(2, encoder=13, decoder=19)
    large.load_state_dict(widened(small.state_dict(), large.state_dict()))
    heard = large.recurrent.weight[:12, 12:]  # the known units' resets, from new units
    assert not heard.any()
    large(*batch())[0].square().mean().backward()
    assert large.recurrent.weight.grad is not None
    assert large.recurrent.weight.grad[:12, 12:].abs().min() > 0


@pytest.mark.parametrize(
    "other", [{}, {"encoder": 9}, {"encoder": 9, "decoder": 20}, {"embedding": 20}, {"attention_width": 9}]
)
def test_what_is_not_wider_or_differs_in_something_else_does_not_fit(other: dict[str, int]) -> None:
    assert not fits(net().state_dict(), net(2, **other).state_dict())


def test_another_kind_of_net_does_not_fit() -> None:
    assert not fits(torch.nn.Linear(2, 2).state_dict(), net().state_dict())
    assert not fits(torch.nn.Linear(2, 2).state_dict(), torch.nn.Linear(3, 2).state_dict())
