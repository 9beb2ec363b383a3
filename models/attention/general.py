"""General attention: e_ts = h_t · W h̄_s (Luong et al. 2015, §3.1, "general").

Knows nothing of the nets that use it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.attention import Attention


class General(Attention):
    """A dot product after the annotations were turned, once a request, into the decoder's terms."""

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        super().__init__(memory_width, query_width, attention_width)
        self.key = nn.Linear(memory_width, query_width, bias=False)  # W_a

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Energies (B, K, S)."""
        return torch.matmul(query, keys.transpose(1, 2))
