"""One request, one row, widths of one: small enough to work out by hand.

Knows nothing of any variant.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.attention import Attention, Look

MASK = torch.tensor([[True, True, True, False]])
MEMORY = torch.tensor([[[0.5], [-1.0], [2.0], [9.0]]])  # the last position is padding
QUERY = 0.25


def filled(attention: Attention, **weights: float) -> Attention:
    """The variant with every weight matrix named filled with one number, biases with zero."""
    with torch.no_grad():
        for name, number in weights.items():
            layer = attention.get_submodule(name)
            assert isinstance(layer, nn.Linear)
            layer.weight.fill_(number)
            if layer.bias is not None:
                layer.bias.zero_()
    return attention


def look(attention: Attention, carried: Tensor | None = None, query: float = QUERY) -> Look:
    """One step of it."""
    carried = torch.zeros(1, 1, 0) if carried is None else carried
    return attention.look(torch.tensor([[[query]]]), MEMORY, attention.project(MEMORY), MASK, carried)
