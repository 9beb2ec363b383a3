"""The Transformer: a step says what the whole says, and looks neither ahead nor at padding."""

from __future__ import annotations

import pytest
import torch

from models.nets.transformer import Cache, TransformerTranslator, sinusoids

SOURCE = torch.tensor([[5, 6, 7, 8, 3], [9, 4, 3, 0, 0]])
GIVEN = torch.tensor([[2, 10, 11, 12], [2, 13, 14, 0]])


@pytest.fixture
def net() -> TransformerTranslator:
    torch.manual_seed(0)
    made = TransformerTranslator(20, width=12, heads=3, inner=16, encoder_layers=2, decoder_layers=2).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return made


def test_steps_say_what_the_whole_says(net: TransformerTranslator) -> None:
    whole, place = net(SOURCE, GIVEN), net.begin(SOURCE)
    for t in range(GIVEN.shape[1]):
        logits, weights, place = net.follow(GIVEN[:, t : t + 1], place)
        torch.testing.assert_close(logits[:, 0], whole[:, t])
        for layer in weights:
            assert layer.shape == (2, 3, 1, 5)
            torch.testing.assert_close(layer.sum(-1), torch.ones(2, 3, 1))
            assert (layer[1, :, :, 3:] == 0).all(), "padding was looked at"


def test_a_position_does_not_see_those_after_it(net: TransformerTranslator) -> None:
    changed = GIVEN.clone()
    changed[:, 3] = 15
    torch.testing.assert_close(net(SOURCE, GIVEN)[:, :3], net(SOURCE, changed)[:, :3])
    assert not torch.allclose(net(SOURCE, GIVEN)[:, 3], net(SOURCE, changed)[:, 3])


def test_padding_changes_nothing(net: TransformerTranslator) -> None:
    torch.testing.assert_close(net(SOURCE[1:, :3], GIVEN[1:])[0], net(SOURCE, GIVEN)[1])


def test_the_order_of_the_source_matters(net: TransformerTranslator) -> None:
    turned = SOURCE[:1, [1, 0, 2, 3, 4]]
    assert not torch.allclose(net(SOURCE[:1], GIVEN[:1]), net(turned, GIVEN[:1]))


def test_a_row_reads_its_ancestors_entries_alone_in_whatever_order(net: TransformerTranslator) -> None:
    mask = SOURCE[:1] != 0
    memory = net.encode(SOURCE[:1], mask)
    token, at = torch.tensor([[10]]), torch.tensor([[2]])
    caches = [Cache(torch.randn(1, 3, 4, 4), torch.randn(1, 3, 4, 4)) for _ in memory]
    mine = torch.tensor([[[True, False, True, False]]])
    expected = net.step(token, at, memory, mask, caches, mine)[0]
    order = torch.tensor([3, 2, 1, 0])
    turned = [Cache(one.keys[:, :, order], one.values[:, :, order]) for one in caches]
    torch.testing.assert_close(net.step(token, at, memory, mask, turned, mine[..., order])[0], expected)
    for cache in caches:
        cache.values[:, :, 1::2] += 5
    torch.testing.assert_close(net.step(token, at, memory, mask, caches, mine)[0], expected)


def test_positions_are_sines_and_cosines() -> None:
    table = sinusoids(50, 8)
    torch.testing.assert_close(table[0], torch.tensor([0.0, 1.0] * 4))
    torch.testing.assert_close(table[7, :2], torch.stack([torch.tensor(7.0).sin(), torch.tensor(7.0).cos()]))
    torch.testing.assert_close(table[7, 2], (torch.tensor(7.0) / 10000 ** (2 / 8)).sin())
