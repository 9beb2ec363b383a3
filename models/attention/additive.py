"""Additive attention: e_ij = v · tanh(W s_{i-1} + U h_j) (Bahdanau et al. 2015, §3.1 and A.1.2).

Knows nothing of the nets that use it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.attention import Attention


class Additive(Attention):
    """Bahdanau's alignment model a(s_{i-1}, h_j), a one-layer perceptron shared by all positions."""

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        super().__init__(memory_width, query_width, attention_width)
        self.key = nn.Linear(memory_width, attention_width)  # U_a, with the layer's bias
        self.query = nn.Linear(query_width, attention_width, bias=False)  # W_a
        self.energy = nn.Linear(attention_width, 1, bias=False)  # v_a

    def project(self, memory: Tensor) -> Tensor:
        """U h_j for every position: memory (B, S, M) -> keys (B, S, A)."""
        return self.key(memory)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Energies (B, K, S); keys are broadcast over the K rows, never copied."""
        hidden = torch.tanh(self.query(query)[:, :, None, :] + keys[:, None, :, :])  # (B, K, S, A)
        return self.energy(hidden)[..., 0]
