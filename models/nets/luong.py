"""Luong's recurrent translator: the decoder moves, then looks, and feeds what it saw into its next step.

Luong et al. 2015, "Effective Approaches to Attention-based Neural Machine Translation", §3 and §3.3 (input feeding).
Knows nothing of text, nor of which attention it has.

Departures: encoder and cell are those of `translator.py`, a bidirectional GRU and a GRU instead of stacked LSTMs, so
that the nets can be compared; and the attentional vector has the embedding's width, so that the output can be tied.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.attention import Look
from models.deferred import Deferred
from models.nets.translator import RecurrentTranslator
from models.sampled import scores


class LuongTranslator(RecurrentTranslator):
    """Axes as there. What is kept from step to step: h_t (H), the attentional vector h̃_t (E), and what is carried."""

    def join(self, embedding: int, decoder: int, memory: int) -> None:
        """Input feeding, and the layer that makes h̃_t."""
        self.widths = [decoder, embedding, self.attention.carried]
        self.input_fed = Deferred(embedding, 3 * decoder, bias=False)
        self.attend = Deferred(memory + decoder, embedding)  # W_c of eq. 5

    def advance(self, word: Tensor, state: Tensor, memory: Tensor, keys: Tensor, mask: Tensor) -> tuple[Tensor, Look]:
        """One decoder step: h_t first, attention with it, h̃_t = tanh(W_c [c_t; h_t]) last (§3)."""
        hidden, fed, carried = self.parts(state)
        hidden = self.gru(word + self.input_fed(fed), hidden)
        seen = self.attention.look(hidden, memory, keys, mask, carried)
        attended = torch.tanh(self.attend(torch.cat([seen.context, hidden], -1)))
        return self.whole(hidden, attended, seen.carried), seen

    def output(self, state: Tensor, embedded: Tensor, context: Tensor) -> Tensor:
        """Scores of h̃_t alone (eq. 6): (..., W) -> (..., V)."""
        del embedded, context
        attended = self.parts(state)[1]
        return scores(self.drop_output(attended), self.embedding.weight, self.bias, self.sample)
