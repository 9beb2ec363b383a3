"""The recurrent translator: one step is the unrolled net's step, padding is invisible, the paper's parts are there."""

from __future__ import annotations

import pytest
import torch

from bundle.text import BOS, EOS, PAD
from models.nets.luong import LuongTranslator
from models.nets.transformer import TransformerTranslator
from models.nets.translator import RecurrentTranslator
from models.tasks.translation import greedy, translator


@pytest.fixture
def net() -> RecurrentTranslator:
    torch.manual_seed(1)
    return RecurrentTranslator(30, embedding=8, encoder=6, decoder=10, attention_width=7).eval()


SOURCE = torch.tensor([[5, 6, 7, 8, EOS], [9, 10, EOS, PAD, PAD]])
GIVEN = torch.tensor([[BOS, 11, 12], [BOS, 13, 14]])  # 3 x 5: a transposed map has another shape


def test_steps_one_by_one_give_the_scores_and_rows_of_the_unrolled_net(net: RecurrentTranslator) -> None:
    with torch.no_grad():
        logits, weights = net(SOURCE, GIVEN)
        mask = SOURCE != PAD
        memory, keys, first = net.encode(SOURCE, mask)
        state = first[:, None]
        for t in range(3):
            scores, state, seen = net.step(GIVEN[:, t : t + 1], state, memory, keys, mask)
            torch.testing.assert_close(scores[:, 0], logits[:, t])
            torch.testing.assert_close(seen.weights[:, 0], weights[:, t])


def test_rows_are_weights_over_the_real_positions(net: RecurrentTranslator) -> None:
    with torch.no_grad():
        _, weights = net(SOURCE, GIVEN)
    assert weights.shape == (2, 3, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))
    assert (weights[1, :, 3:] == 0).all() and (weights >= 0).all()


def test_a_short_sentence_is_the_same_alone_and_beside_a_long_one(net: RecurrentTranslator) -> None:
    with torch.no_grad():
        together, _ = net(SOURCE, GIVEN)
        alone, _ = net(SOURCE[1:, :3], GIVEN[1:])
    torch.testing.assert_close(together[1:], alone)


def test_the_decoder_starts_from_the_backward_encoder_at_the_first_word(net: RecurrentTranslator) -> None:
    with torch.no_grad():
        memory, _, state = net.encode(SOURCE[:1], SOURCE[:1] != PAD)
        backward = memory[:, 0, 6:]  # what the backward GRU says at position 1
        torch.testing.assert_close(state, torch.tanh(net.start(backward)))


def test_scores_at_real_positions_are_those_of_the_whole_array(net: RecurrentTranslator) -> None:
    real = torch.tensor([[True, True, False], [True, False, True]])
    with torch.no_grad():
        torch.testing.assert_close(net.logits_at(SOURCE, GIVEN, real), net(SOURCE, GIVEN)[0][real])


def test_greedy_says_neither_padding_nor_the_unknown_piece(net: RecurrentTranslator) -> None:
    with torch.no_grad():
        net.bias[[PAD, 1, BOS]] = 50.0
    for ids in greedy(net, SOURCE):
        assert not {PAD, 1, BOS, EOS} & set(ids)


def test_a_recipe_names_the_kind_of_net() -> None:
    assert isinstance(translator(20, {"decoder": 8}), RecurrentTranslator)
    assert isinstance(
        translator(20, {"kind": "luong", "attention": "dot", "encoder": 4, "decoder": 8}), LuongTranslator
    )
    assert isinstance(translator(20, {"kind": "transformer", "width": 8, "heads": 2}), TransformerTranslator)
    with pytest.raises(ValueError, match="convolution"):
        translator(20, {"kind": "convolution"})
