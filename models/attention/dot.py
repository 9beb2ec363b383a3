"""Dot-product attention: e_ts = h_t · h̄_s (Luong et al. 2015, §3.1, "dot").

Knows nothing of the nets that use it. It has no weights of its own: encoder and decoder must be equally wide.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.attention import Attention


class Dot(Attention):
    """The decoder's state against every annotation as it is."""

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        """Raises ValueError where memory and query differ in width."""
        if memory_width != query_width:
            raise ValueError(f"dot compares widths that are equal, not {memory_width} and {query_width}")
        super().__init__(memory_width, query_width, attention_width)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Energies (B, K, S), not scaled, as in the paper."""
        return torch.matmul(query, keys.transpose(1, 2))
