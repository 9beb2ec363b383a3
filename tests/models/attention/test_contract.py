"""What every file of models/attention promises, tried on all of them, each in both nets."""

from __future__ import annotations

import pytest
import torch

from models.attention import Attention, Look, made, variant, variants
from models.nets.luong import LuongTranslator
from models.nets.translator import RecurrentTranslator
from models.tasks.translation import greedy

MASK = torch.tensor([[True] * 9, [True] * 4 + [False] * 5])
WIDTH, ROWS = 6, 3


def look(attention: Attention) -> tuple[Look, torch.Tensor, torch.Tensor]:
    """One step of a variant over memory whose padding is garbage; that memory, and the encoder's last states."""
    torch.manual_seed(1)
    memory, ends = torch.randn(2, 9, WIDTH, requires_grad=True), torch.randn(2, WIDTH, requires_grad=True)
    query, carried = torch.randn(2, ROWS, WIDTH), attention.start(ends)
    spoiled = memory.masked_fill(~MASK[..., None], 1e3)
    seen = attention.look(query, spoiled, attention.project(spoiled), MASK, carried[:, None].expand(-1, ROWS, -1))
    return seen, memory, ends


@pytest.fixture(params=variants())
def attention(request: pytest.FixtureRequest) -> Attention:
    torch.manual_seed(2)
    return made(request.param, WIDTH, WIDTH, 5)


def test_the_folder_is_not_empty_and_each_file_defines_its_class() -> None:
    assert "additive" in variants()
    assert all(issubclass(variant(name), Attention) for name in variants())


def test_rows_are_zero_at_the_padding_and_outside_their_window(attention: Attention) -> None:
    seen, _, _ = look(attention)
    assert seen.weights.shape == (2, ROWS, 9)
    assert (seen.weights >= 0).all() and (seen.weights[1, :, 4:] == 0).all()
    if seen.window is None:
        torch.testing.assert_close(seen.weights.sum(-1), torch.ones(2, ROWS))
        return
    place = torch.arange(9)
    outside = (place < seen.window[..., :1]) | (place > seen.window[..., 1:])
    assert (seen.weights[outside] == 0).all()
    assert (seen.weights.sum(-1) <= 1 + 1e-6).all() and (seen.weights.sum(-1) > 0).all()


def test_the_context_is_what_the_weights_make_of_the_memory_and_never_the_padding(attention: Attention) -> None:
    seen, memory, ends = look(attention)
    assert seen.context.shape == (2, ROWS, WIDTH) and seen.context.abs().max() < 100
    torch.testing.assert_close(
        seen.context, seen.weights @ memory if attention.maps else ends[:, None].expand(-1, ROWS, -1)
    )


def test_a_gradient_reaches_every_weight_and_the_encoder(attention: Attention) -> None:
    seen, memory, ends = look(attention)
    (seen.context**2).sum().backward()
    assert all(one.grad is not None and one.grad.abs().sum() > 0 for one in attention.parameters())
    reached = memory.grad if attention.maps else ends.grad
    assert reached is not None and reached[0].abs().sum() > 0


@pytest.mark.parametrize("name", variants())
@pytest.mark.parametrize("kind", [RecurrentTranslator, LuongTranslator])
def test_in_either_net_steps_are_the_unrolled_net_and_neighbours_do_not_matter(
    name: str, kind: type[RecurrentTranslator]
) -> None:
    torch.manual_seed(3)
    net = kind(30, attention=name, embedding=8, encoder=5, decoder=10, attention_width=7).eval()
    source, given = torch.tensor([[5, 6, 7, 8, 3], [9, 10, 3, 0, 0]]), torch.tensor([[2, 11, 12], [2, 13, 14]])
    with torch.no_grad():
        logits, rows = net(source, given)
        torch.testing.assert_close(net(source[1:, :3], given[1:])[0], logits[1:])
        place = net.begin(source)
        for t in range(3):
            scores, row, place = net.follow(given[:, t : t + 1], place)
            torch.testing.assert_close(scores[:, 0], logits[:, t])
            torch.testing.assert_close(row[:, 0], rows[:, t])
    assert len(greedy(net, source)) == 2


def test_a_variant_is_found_by_its_file_and_a_missing_one_is_named() -> None:
    with pytest.raises(ValueError, match=r"models/attention/telepathic\.py"):
        variant("telepathic")


def test_options_of_a_variant_stand_beside_its_name() -> None:
    found = made({"name": "local_m", "score": "dot", "reach": 2}, WIDTH, WIDTH, 5)
    assert (type(found).__name__, getattr(found, "reach", 0)) == ("LocalM", 2)
    with pytest.raises(TypeError):
        made({"name": "dot", "reach": 2}, WIDTH, WIDTH, 5)
