"""The recurrent translator: a bidirectional GRU encoder, attention, and a GRU decoder with deep output.

Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
§3.1, §3.2 and A.1-A.2. Knows nothing of text, ids go in and scores come out; nor of which attention it has.

One departure, as in most later code: the output embedding is tied to the input embedding
(Press and Wolf 2017), so the maxout layer ends at the embedding's width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.attention import Look, made
from models.deferred import Deferred, deferred
from models.dropout import Dropout
from models.gru import Cell, bidirectional
from models.sampled import Sample, scores


class RecurrentTranslator(nn.Module):
    """Source ids to target scores, one GRU step a target piece.

    Axes: B requests, K rows a request, S source pieces, T target pieces, V vocabulary,
    M = 2 * encoder width, H decoder width, E embedding width, W what is kept from step to step: `widths` added up.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        attention: str | dict[str, Any] = "additive",
        embedding: int = 256,
        encoder: int = 256,
        decoder: int = 512,
        attention_width: int = 256,
        dropout_embedding: float = 0.3,
        dropout_memory: float = 0.3,
        dropout_output: float = 0.4,
        pad: int = 0,
    ) -> None:
        super().__init__()
        memory = 2 * encoder
        self.vocabulary, self.pad = vocabulary, pad
        self.sample: Sample | None = None  # set around a training step that scores a part of the vocabulary
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=pad)
        nn.init.normal_(self.embedding.weight, std=embedding**-0.5)  # tied: a larger start learns nothing
        self.encoder = nn.GRU(embedding, encoder, batch_first=True, bidirectional=True)
        self.start = nn.Linear(encoder, decoder)  # s_0 = tanh(W_s h_1 backward), A.2.2
        self.attention = made(attention, memory, decoder, attention_width)
        self.widths = [decoder, self.attention.carried]
        self.input_word = nn.Linear(embedding, 3 * decoder)  # W, W_z, W_r of A.1.1 in one product
        self.recurrent = Deferred(decoder, 3 * decoder)  # U, U_z, U_r
        self.join(embedding, decoder, memory)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.drop_embedding = Dropout(dropout_embedding)
        self.drop_memory = Dropout(dropout_memory)
        self.drop_output = Dropout(dropout_output)
        nn.init.orthogonal_(self.recurrent.weight)

    def join(self, embedding: int, decoder: int, memory: int) -> None:
        """Make the layers that join context and decoder."""
        self.input_context = Deferred(memory, 3 * decoder, bias=False)  # C, C_z, C_r
        self.deep = nn.Linear(decoder + embedding + memory, 2 * embedding)  # U_o, V_o, C_o of A.2.2

    @property
    def state_width(self) -> int:
        """W."""
        return sum(self.widths)

    def encode(self, source: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Source ids and mask (B, S) -> memory (B, S, M), keys (B, S, A), state (B, W)."""
        embedded = self.drop_embedding(self.embedding(source))
        if torch.is_grad_enabled():
            memory, last = bidirectional(self.encoder, embedded, mask)
        else:
            packed = pack_padded_sequence(embedded, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
            memory, last = self.encoder(packed)
            memory = pad_packed_sequence(memory, batch_first=True, total_length=source.shape[1])[0]
        memory = self.drop_memory(memory)
        return memory, self.attention.project(memory), self.first(last)

    def first(self, last: Tensor) -> Tensor:
        """The encoder's last states (2, B, M/2), forward and backward, -> the state of the first step (B, W)."""
        nothing = [torch.zeros_like(last[1, :, :1]).expand(-1, width) for width in self.widths[1:-1]]
        ends = torch.cat([last[0], last[1]], -1)
        ends = self.drop_memory(ends) if self.attention.carried else ends
        return self.whole(torch.tanh(self.start(last[1])), *nothing, self.attention.start(ends))

    def parts(self, state: Tensor) -> list[Tensor]:
        """A state (..., W) by its widths; nothing is split where there is one part, so that no graph has to."""
        widths = [width for width in self.widths if width]
        filled = iter(state.split(widths, -1) if len(widths) > 1 else [state])
        return [next(filled) if width else state[..., :0] for width in self.widths]

    def whole(self, *parts: Tensor) -> Tensor:
        """The state (..., W) of its parts."""
        filled = [part for part, width in zip(parts, self.widths, strict=True) if width]
        return torch.cat(filled, -1) if len(filled) > 1 else filled[0]

    def advance(self, word: Tensor, state: Tensor, memory: Tensor, keys: Tensor, mask: Tensor) -> tuple[Tensor, Look]:
        """One decoder step for K rows a request, without the output layer: it looks with its last state (§3.1).

        word (B, K, 3H) is `input_word` of the last embedding, state (B, K, W).
        Returns the new state (B, K, W) and what was seen.
        """
        hidden, carried = self.parts(state)
        seen = self.attention.look(hidden, memory, keys, mask, carried)
        hidden = self.gru(word + self.input_context(seen.context), hidden)
        return self.whole(hidden, seen.carried), seen

    def gru(self, gates: Tensor, state: Tensor) -> Tensor:
        """Gated recurrent unit (A.1.1, with Cho's reset applied after the product, as cuDNN does)."""
        if torch.is_grad_enabled():
            new: Tensor = Cell.apply(gates, self.recurrent(state), state)
            return new
        from_input, from_state = gates.chunk(3, dim=-1), self.recurrent(state).chunk(3, dim=-1)
        reset = torch.sigmoid(from_input[0] + from_state[0])
        update = torch.sigmoid(from_input[1] + from_state[1])
        candidate = torch.tanh(from_input[2] + reset * from_state[2])
        return candidate + update * (state - candidate)

    def output(self, state: Tensor, embedded: Tensor, context: Tensor) -> Tensor:
        """Deep output with one maxout layer (A.2.2): (..., W), (..., E), (..., M) -> logits (..., V)."""
        deep = self.deep(torch.cat([self.parts(state)[0], embedded, context], dim=-1))
        maxout = deep.unflatten(-1, (-1, 2)).amax(-1)
        return scores(self.drop_output(maxout), self.embedding.weight, self.bias, self.sample)

    def step(
        self, token: Tensor, state: Tensor, memory: Tensor, keys: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Look]:
        """One whole decoder step: token (B, K), state (B, K, W) -> logits (B, K, V), state, what was seen."""
        embedded = self.embedding(token)
        state, seen = self.advance(self.input_word(embedded), state, memory, keys, mask)
        return self.output(state, embedded, seen.context), state, seen

    def begin(self, source: Tensor) -> Any:
        """Source (B, S) -> what `follow` needs: one row a request, in search of a greedy answer."""
        mask = source != self.pad
        memory, keys, first = self.encode(source, mask)
        return memory, keys, mask, first[:, None, :]

    def follow(self, token: Tensor, place: Any) -> tuple[Tensor, Tensor, Any]:
        """The last piece (B, 1) -> logits (B, 1, V) of the next, weights (B, 1, S), and the new place."""
        memory, keys, mask, state = place
        logits, state, seen = self.step(token, state, memory, keys, mask)
        return logits, seen.weights, (memory, keys, mask, state)

    def unroll(self, source: Tensor, given: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Teacher-forced steps without the output layer: source (B, S), given (B x K, T) target inputs.

        K answers to each source, one source's after the other: it is encoded once. Returns states (B x K, T, W),
        embedded (B x K, T, E), contexts (B x K, T, M) and weights (B x K, T, S).
        """
        mask, each = source != self.pad, len(given) // len(source)
        memory, keys, first, mask = (x.repeat_interleave(each, 0) for x in (*self.encode(source, mask), mask))
        embedded = self.drop_embedding(self.embedding(given))
        words = self.input_word(embedded).split(1, 1)  # a slice a step would cost a whole gradient each
        state, states, contexts, rows = first[:, None, :], [], [], []
        with deferred(self, memory):
            for word in words:
                state, seen = self.advance(word, state, memory, keys, mask)
                states.append(state)
                contexts.append(seen.context)
                rows.append(seen.weights)
        return torch.cat(states, 1), embedded, torch.cat(contexts, 1), torch.cat(rows, 1)

    def forward(self, source: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """Teacher-forced: source (B, S), target inputs (B, T) -> logits (B, T, V), weights (B, T, S)."""
        states, embedded, contexts, weights = self.unroll(source, given)
        return self.output(states, embedded, contexts), weights

    def logits_and_rows(self, source: Tensor, given: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """As `logits_at`, with the weights (B, T, S): for training that says where to look."""
        states, embedded, contexts, weights = self.unroll(source, given)
        return self.output(states[real], embedded[real], contexts[real]), weights

    def logits_at(self, source: Tensor, given: Tensor, real: Tensor) -> Tensor:
        """Logits (N, V) of the N positions where real (B, T) is true: padding costs no vocabulary product."""
        return self.logits_and_rows(source, given, real)[0]
