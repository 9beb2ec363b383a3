"""Show, Attend and Tell: one step is the unrolled net's step, rows share a picture, the penalty is the paper's."""

from __future__ import annotations

import pytest
import torch

from bundle.text import BOS
from models.nets.captioner import Captioner, doubly_stochastic
from models.tasks.captioning import pooled, words

PLACES = 9


@pytest.fixture
def net() -> Captioner:
    torch.manual_seed(1)
    return Captioner(30, memory=8, embedding=6, decoder=10, attention_width=7).eval()


@pytest.fixture
def features() -> torch.Tensor:
    torch.manual_seed(2)
    return torch.rand(2, PLACES, 1280)


GIVEN = torch.tensor([[[BOS, 5, 6, 7], [BOS, 8, 9, 10], [BOS, 5, 11, 12]], [[BOS, 13, 14, 15]] * 3])


def test_steps_one_by_one_give_the_states_and_rows_of_the_unrolled_net(net: Captioner, features: torch.Tensor) -> None:
    with torch.no_grad():
        hiddens, embedded, contexts, weights = net.unroll(features, GIVEN)
        logits = net.output(hiddens, embedded, contexts)
        memory, keys, first, cell = net.begin(features)
        hidden, cell = (one[:, None].expand(-1, 3, -1) for one in (first, cell))
        mask = torch.ones(2, PLACES, dtype=torch.bool)
        for t in range(4):
            scores, hidden, cell, row, gate = net.step(GIVEN[:, :, t], hidden, cell, memory, keys, mask)
            torch.testing.assert_close(scores, logits[:, :, t])
            torch.testing.assert_close(row, weights[:, :, t])
            assert ((gate > 0) & (gate < 1)).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 4))


def test_captions_of_one_picture_share_it_and_do_not_disturb_each_other(net: Captioner, features: torch.Tensor) -> None:
    with torch.no_grad():
        together = net.unroll(features, GIVEN)[0]
        alone = net.unroll(features[:1], GIVEN[:1, 1:2])[0]
    torch.testing.assert_close(together[0, 1], alone[0, 0])


def test_a_closed_gate_keeps_the_picture_out(net: Captioner, features: torch.Tensor) -> None:
    with torch.no_grad():
        net.gate.weight.zero_()
        net.gate.bias.fill_(-1e4)
        contexts = net.unroll(features, GIVEN)[2]
    assert contexts.abs().max() == 0


def test_the_doubly_stochastic_penalty_by_hand() -> None:
    weights = torch.tensor(
        [[[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]]]
    )  # one picture, one caption, three words, two places
    real = torch.tensor([[[True, True, False]]])
    assert doubly_stochastic(weights, real).item() == pytest.approx(((1 - 1.5) ** 2 + (1 - 0.5) ** 2) / 2)


def test_pooling_averages_squares_of_places() -> None:
    grid = torch.arange(16.0).reshape(1, 16, 1)
    assert pooled(grid, 2)[0, :, 0].tolist() == [2.5, 4.5, 10.5, 12.5]
    assert pooled(grid, 1) is grid


def test_captions_are_lower_cased_words_without_punctuation() -> None:
    assert words("A man's dog , jumping over 2 logs .") == "a man's dog jumping over 2 logs"
