"""Concat attention: e_ts = v · tanh(W [h_t; h̄_s]) (Luong et al. 2015, §3.1, "concat").

Knows nothing of the nets that use it. W of a concatenation is a matrix for each half: but for a bias this is Bahdanau's
score, so what tells the two apart is the net around them, which asks here with its new state and there with its last.
"""

from __future__ import annotations

from torch import nn

from models.attention.additive import Additive


class Concat(Additive):
    """The additive score without its bias."""

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        super().__init__(memory_width, query_width, attention_width)
        self.key = nn.Linear(memory_width, attention_width, bias=False)  # the half of W_a that meets h̄_s
