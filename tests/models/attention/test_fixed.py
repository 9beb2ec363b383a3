"""The foil: one vector, whatever is asked."""

from __future__ import annotations

import torch

from models.attention.fixed import Fixed
from models.nets.translator import RecurrentTranslator
from tests.models.attention.tiny import look


def test_the_context_is_what_is_carried_whatever_the_query() -> None:
    carried = torch.tensor([[[7.0]]])
    for query in (0.25, -3.0):
        seen = look(Fixed(1, 1, 1), carried, query)
        assert seen.context.item() == 7.0 and seen.carried.item() == 7.0
    assert not Fixed.maps


def test_it_carries_the_encoders_last_state_in_each_direction() -> None:
    torch.manual_seed(1)
    net = RecurrentTranslator(30, attention="fixed", embedding=8, encoder=6, decoder=10).eval()
    source = torch.tensor([[5, 6, 7, 3, 0]])
    with torch.no_grad():
        memory, _, state = net.encode(source, source != 0)
    ends = torch.cat([memory[0, 3, :6], memory[0, 0, 6:]])  # forward at the last piece, backward at the first
    torch.testing.assert_close(state[0, 10:], ends)
