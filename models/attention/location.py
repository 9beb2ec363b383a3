"""Location-based attention: a_t = softmax(W h_t), from the decoder's state alone (Luong et al. 2015, §3.1, "location").

Knows nothing of the nets that use it. A position has a weight vector and no content: shorter sources use the first
ones, and what lies beyond the last is never looked at, as in the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.attention import MASKED, Attention


class Location(Attention):
    """One output a position."""

    def __init__(self, memory_width: int, query_width: int, attention_width: int, longest: int = 128) -> None:
        super().__init__(memory_width, query_width, attention_width)
        self.longest = longest
        self.place = nn.Linear(query_width, longest, bias=False)  # W_a

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Energies (B, K, S); of the keys only their number matters."""
        place = torch.arange(keys.shape[1])
        energies = self.place(query)[..., place.clamp(max=self.longest - 1)]
        return energies.masked_fill(place >= self.longest, MASKED)
