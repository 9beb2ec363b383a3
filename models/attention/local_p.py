"""Local predictive attention: each step says where it looks (Luong et al. 2015, §3.2, "local-p", eq. 9 and 10).

Knows nothing of the nets that use it. The prediction p_t = S · sigmoid(v · tanh(W h_t)) learns through a Gaussian
around it, which the weights are multiplied with: as in the paper, rows sum to at most one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.attention.local_m import LocalM


class LocalP(LocalM):
    """A window around a predicted position."""

    carried = 0

    def __init__(
        self, memory_width: int, query_width: int, attention_width: int, score: str = "general", reach: int = 5
    ) -> None:
        """score: the global variant used within the window; reach: D, twice the Gaussian's standard deviation."""
        super().__init__(memory_width, query_width, attention_width, score, reach)
        self.aim = nn.Linear(query_width, attention_width, bias=False)  # W_p
        self.aim_at = nn.Linear(attention_width, 1, bias=False)  # v_p

    def centre(self, query: Tensor, length: Tensor, carried: Tensor) -> Tensor:
        """p_t (B, K), between 0 and the length (B, 1)."""
        del carried
        share = torch.sigmoid(self.aim_at(torch.tanh(self.aim(query))))[..., 0]
        return length.to(query.dtype) * share

    def favour(self, weights: Tensor, distance: Tensor) -> Tensor:
        """Less with the distance: exp(-(s - p_t)² / 2σ²), σ = D / 2."""
        return weights * torch.exp(-2 * (distance / self.reach) ** 2)
