"""No attention, the foil: every step's context is what the encoder ended with (Cho et al. 2014, §2.2; Sutskever 2014).

Knows nothing of the nets that use it. The context is carried in the decoder's state, so that a served model without
attention keeps nothing of its source but one vector, and has no map to show.
"""

from __future__ import annotations

from torch import Tensor

from models.attention import Attention, Look


class Fixed(Attention):
    """The last forward and the last backward state, whatever the decoder asks."""

    maps = False

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        super().__init__(memory_width, query_width, attention_width)
        self.carried = memory_width

    def start(self, ends: Tensor) -> Tensor:
        """The vector c (B, M)."""
        return ends

    def forward(self, query: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """Equal weights (B, K, S), so that whoever averages maps may; nothing was looked at."""
        even = mask[:, None].to(query.dtype) / mask.sum(1)[:, None, None]
        return even.expand(-1, query.shape[1], -1)

    def look(self, query: Tensor, memory: Tensor, keys: Tensor, mask: Tensor, carried: Tensor) -> Look:
        """c, whatever the query."""
        return Look(carried, self(query, keys, mask), carried)
