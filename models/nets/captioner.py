"""The captioner: Show, Attend and Tell with soft or hard attention (Xu et al. 2015, §3-4).

Knows nothing of text or of picture files: pixels or cached annotations go in, scores come out; nor of how places are
drawn in training (`models/hard.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.attention import made
from models.dropout import Dropout
from models.encoders import WIDTHS, Trunk

Take = Callable[[Tensor], Tensor]  # weights (B, K, S) to what the context is made of (B, K, S)


class Captioner(nn.Module):
    """Annotations to words, one LSTM step a word.

    Axes: B pictures, K rows a picture (its five captions in training, its beams in search),
    S = 196 places, F trunk width, M memory width, H LSTM width, E embedding width, T words, V vocabulary.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        trunk: str = "lite0",
        attention: str = "additive",
        hard: bool = False,
        memory: int = 512,
        embedding: int = 256,
        decoder: int = 512,
        attention_width: int = 256,
        dropout_memory: float = 0.2,
        dropout_embedding: float = 0.2,
        dropout_output: float = 0.5,
        pad: int = 0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.decoder_width, self.pad, self.trunk_name = vocabulary, decoder, pad, trunk
        self.hard = hard
        self.annotate = nn.Linear(WIDTHS[trunk], memory)
        self.attention = made(attention, memory, decoder, attention_width)
        self.start_hidden = nn.Linear(memory, decoder)  # f_init,h of §3.1.2
        self.start_cell = nn.Linear(memory, decoder)  # f_init,c
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=pad)
        nn.init.normal_(self.embedding.weight, std=embedding**-0.5)  # tied with the output
        self.gate = nn.Linear(decoder, 1)  # f_beta of §4.2.1
        self.input_word = nn.Linear(embedding, 4 * decoder)
        self.input_context = nn.Linear(memory, 4 * decoder, bias=False)
        self.recurrent = nn.Linear(decoder, 4 * decoder)
        self.output_hidden = nn.Linear(decoder, embedding)  # L_h of eq. 7
        self.output_context = nn.Linear(memory, embedding, bias=False)  # L_z
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.drop_memory = Dropout(dropout_memory)
        self.drop_embedding = Dropout(dropout_embedding)
        self.drop_output = Dropout(dropout_output)
        nn.init.orthogonal_(self.recurrent.weight)
        self._trunk: list[Trunk] = []  # not a submodule: frozen, fixed by its package, never in a checkpoint

    @property
    def trunk(self) -> Trunk:
        """The frozen picture encoder, loaded when first asked for."""
        if not self._trunk:
            self._trunk.append(Trunk(self.trunk_name))
        return self._trunk[0]

    def begin(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Trunk features (B, S, F) -> memory (B, S, M), keys (B, S, A), hidden (B, H), cell (B, H)."""
        memory = self.drop_memory(torch.relu(self.annotate(features)))
        mean = memory.mean(1)
        hidden, cell = torch.tanh(self.start_hidden(mean)), torch.tanh(self.start_cell(mean))
        return memory, self.attention.project(memory), hidden, cell

    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pixels (B, 3, 224, 224) -> as `begin`."""
        return self.begin(self.trunk(pixels))

    def taken(self, weights: Tensor) -> Tensor:
        """What the context is made of when nothing is drawn: everything by weight; hard, the likeliest place alone."""
        if not self.hard:
            return weights
        best = weights.argmax(-1, keepdim=True)
        return (torch.arange(weights.shape[-1]) == best).to(weights.dtype)

    def advance(
        self,
        word: Tensor,
        hidden: Tensor,
        cell: Tensor,
        memory: Tensor,
        keys: Tensor,
        mask: Tensor,
        take: Take | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """One LSTM step without the output layer: word (B, K, 4H) is `input_word` of the last embedding.

        take: what the context is made of, if not `taken`.
        Returns hidden and cell (B, K, H), the gated context (B, K, M), weights (B, K, S) and gate (B, K).
        """
        weights = self.attention(hidden, keys, mask)
        gate = torch.sigmoid(self.gate(hidden))  # (B, K, 1)
        context = gate * torch.matmul((take or self.taken)(weights), memory)
        gates = word + self.input_context(context) + self.recurrent(hidden)
        enter, forget, out, candidate = gates.chunk(4, dim=-1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
        hidden = torch.sigmoid(out) * torch.tanh(cell)
        return hidden, cell, context, weights, gate[..., 0]

    def output(self, hidden: Tensor, embedded: Tensor, context: Tensor) -> Tensor:
        """Deep output (eq. 7): L_o (E y + L_h h + L_z z), L_o tied to the embedding; (..., V)."""
        deep = torch.tanh(embedded + self.output_hidden(hidden) + self.output_context(context))
        return nn.functional.linear(self.drop_output(deep), self.embedding.weight, self.bias)

    def step(
        self, token: Tensor, hidden: Tensor, cell: Tensor, memory: Tensor, keys: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """One whole step: token (B, K) -> logits (B, K, V), hidden, cell, weights (B, K, S), gate (B, K)."""
        embedded = self.embedding(token)
        hidden, cell, context, weights, gate = self.advance(self.input_word(embedded), hidden, cell, memory, keys, mask)
        return self.output(hidden, embedded, context), hidden, cell, weights, gate

    def unroll(
        self, features: Tensor, given: Tensor, take: Take | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Teacher-forced: features (B, S, F), given (B, K, T) words in; take as in `advance`.

        Returns hiddens (B, K, T, H), embedded (B, K, T, E), contexts (B, K, T, M), weights (B, K, T, S).
        """
        memory, keys, first, cell = self.begin(features)
        rows, steps = given.shape[1], given.shape[2]
        hidden, cell = (one[:, None].expand(-1, rows, -1) for one in (first, cell))
        mask = torch.ones(memory.shape[:2], dtype=torch.bool)
        embedded = self.drop_embedding(self.embedding(given))
        words = self.input_word(embedded)
        hiddens, contexts, weights = [], [], []
        for t in range(steps):
            hidden, cell, context, row, _ = self.advance(words[:, :, t], hidden, cell, memory, keys, mask, take)
            hiddens.append(hidden)
            contexts.append(context)
            weights.append(row)
        return torch.stack(hiddens, 2), embedded, torch.stack(contexts, 2), torch.stack(weights, 2)


def doubly_stochastic(weights: Tensor, real: Tensor) -> Tensor:
    """Xu et al. 2015 eq. 14 without λ: mean over captions and places of (1 - Σ_t α_ti)².

    weights (B, K, T, S), real (B, K, T) true where there is a word. Averaged, not summed, over the
    places, so that λ does not depend on the grid.
    """
    looked = (weights * real[..., None]).sum(2)  # (B, K, S)
    return ((1 - looked) ** 2).mean()
