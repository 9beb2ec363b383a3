"""The Transformer translator: self-attention on both sides, cross-attention between them, a step at a time.

Vaswani et al. 2017, "Attention Is All You Need", §3. Knows nothing of text: ids go in, scores come out.

Two departures, as in most later code: layers are normalised before they are entered, not after (Xiong et al. 2020),
and attention weights are not dropped out, which keeps training on the fused kernel.
A step reads what earlier steps left without reordering it: all rows of a request share one cache of keys and values,
and a mask says which entries are a row's own ancestors. See `Cache`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.dropout import Dropout
from models.sampled import Sample, scores

MASKED = -1e9  # finite, so that a row whose mask is empty gives numbers, not NaN


class Memory(NamedTuple):
    """What one decoder layer reads of a request's source: keys and values (B, N, S, D/N)."""

    keys: Tensor
    values: Tensor


class Cache(NamedTuple):
    """What one decoder layer left at earlier steps, of all rows of a request: keys and values (B, N, P, D/N).

    P entries in any order; which of them a row may read is in `ancestors` (B, K, P), which all layers share.
    """

    keys: Tensor
    values: Tensor


class MultiHead(nn.Module):
    """Scaled dot-product attention in N heads (§3.2.2). Axes: B requests, N heads, T queries, S keys, D width."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        for layer in (self.query, self.key, self.value, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, N, T, D/N)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def merge(self, x: Tensor) -> Tensor:
        """(B, N, T, D/N) -> (B, T, D), through the output product."""
        merged: Tensor = self.out(x.transpose(1, 2).flatten(-2))
        return merged

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """query (B, N, T, D/N), keys (B, N, S, D/N) -> (B, N, T, S), divided by the root of the head's width."""
        return torch.matmul(query, keys.transpose(-1, -2)) * (query.shape[-1] ** -0.5)

    def forward(self, x: Tensor, memory: Tensor, *, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """All positions at once, without weights: x (B, T, D), memory (B, S, D), mask (B, 1, 1, S) -> (B, T, D)."""
        query, keys, values = self.split(self.query(x)), self.split(self.key(memory)), self.split(self.value(memory))
        with torch.autocast("cpu", enabled=False):  # its kernel's backward takes ten times as long in bf16
            seen = functional.scaled_dot_product_attention(
                query.float(), keys.float(), values.float(), attn_mask=mask, is_causal=causal
            )
        return self.merge(seen)


class FeedForward(nn.Sequential):
    """Position-wise feed-forward network (§3.3)."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__(nn.Linear(width, inner), nn.ReLU(), Dropout(dropout), nn.Linear(inner, width))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each around a residual (§3.1)."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.attention, self.inner = MultiHead(width, heads), FeedForward(width, inner, dropout)
        self.drop = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, S, D), mask (B, 1, 1, S) -> (B, S, D)."""
        normal = self.norms[0](x)
        x = x + self.drop(self.attention(normal, normal, mask=mask))
        out: Tensor = x + self.drop(self.inner(self.norms[1](x)))
        return out


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention and a feed-forward network, each around a residual (§3.1)."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.own, self.cross = MultiHead(width, heads), MultiHead(width, heads)
        self.inner, self.drop = FeedForward(width, inner, dropout), Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """All positions at once: x (B, T, D), memory (B, S, D), mask (B, 1, 1, S) -> (B, T, D)."""
        normal = self.norms[0](x)
        x = x + self.drop(self.own(normal, normal, causal=True))
        x = x + self.drop(self.cross(self.norms[1](x), memory, mask=mask))
        out: Tensor = x + self.drop(self.inner(self.norms[2](x)))
        return out

    def looking(self, x: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, with the weights of cross-attention (B, N, T, S), which the fused kernel does not give."""
        normal, cross = self.norms[0](x), self.cross
        x = x + self.drop(self.own(normal, normal, causal=True))
        of_source = self.project(memory)
        energies = cross.scores(cross.split(cross.query(self.norms[1](x))), of_source.keys)
        weights = torch.softmax(energies.masked_fill(~mask, MASKED), -1)
        x = x + self.drop(cross.merge(torch.matmul(weights, of_source.values)))
        return x + self.drop(self.inner(self.norms[2](x))), weights

    def project(self, memory: Tensor) -> Memory:
        """The keys and values of the source, once a request: (B, S, D) -> twice (B, N, S, D/N)."""
        cross = self.cross
        return Memory(cross.split(cross.key(memory)), cross.split(cross.value(memory)))

    def step(
        self, x: Tensor, memory: Memory, mask: Tensor, cache: Cache, ancestors: Tensor
    ) -> tuple[Tensor, Cache, Tensor, Tensor]:
        """One position of every row: x (B, K, D), mask (B, S), ancestors (B, K, P), all boolean.

        Returns x (B, K, D), this step's entries (B, N, K, D/N), the weights of self-attention over the cache
        and, last, the row itself (B, N, K, P + 1), and the weights of cross-attention (B, N, K, S).
        """
        own, normal = self.own, self.norms[0](x)
        query, new = own.split(own.query(normal)), Cache(own.split(own.key(normal)), own.split(own.value(normal)))
        past = own.scores(query, cache.keys).masked_fill(~ancestors[:, None], MASKED)
        present = (query * new.keys).sum(-1, keepdim=True) * (query.shape[-1] ** -0.5)
        backward = torch.softmax(torch.cat([past, present], -1), -1)
        before, itself = backward[..., :-1], backward[..., -1:]
        x = x + own.merge(torch.matmul(before, cache.values) + itself * new.values)
        cross = self.cross
        energies = cross.scores(cross.split(cross.query(self.norms[1](x))), memory.keys)
        weights = torch.softmax(energies.masked_fill(~mask[:, None, None], MASKED), -1)
        x = x + cross.merge(torch.matmul(weights, memory.values))
        return x + self.inner(self.norms[2](x)), new, backward, weights


class TransformerTranslator(nn.Module):
    """Source ids to target scores. Axes as above; V vocabulary, L layers."""

    def __init__(
        self,
        vocabulary: int,
        *,
        width: int = 128,
        heads: int = 4,
        inner: int = 256,
        encoder_layers: int = 4,
        decoder_layers: int = 4,
        dropout: float = 0.3,
        longest: int = 512,
        pad: int = 0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.width, self.heads, self.pad = vocabulary, width, heads, pad
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=pad)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.sample: Sample | None = None  # set around a training step that scores a part of the vocabulary
        self.register_buffer("positions", sinusoids(longest, width), persistent=False)
        self.encoder = nn.ModuleList(EncoderLayer(width, heads, inner, dropout) for _ in range(encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(width, heads, inner, dropout) for _ in range(decoder_layers))
        self.norm_memory, self.norm_output = nn.LayerNorm(width), nn.LayerNorm(width)
        self.drop = Dropout(dropout)

    def embed(self, ids: Tensor, position: Tensor) -> Tensor:
        """Ids and their positions, of one shape (…) -> (…, D): embedding times the root of D, plus sinusoids (§3.4)."""
        at: Tensor = self.positions[position]  # type: ignore[index]
        dropped: Tensor = self.drop(self.embedding(ids) * math.sqrt(self.width) + at)
        return dropped

    def _decoder(self) -> list[DecoderLayer]:
        """The decoder's layers, as what they are: a ModuleList forgets."""
        return [layer for layer in self.decoder if isinstance(layer, DecoderLayer)]

    def memory(self, source: Tensor, mask: Tensor) -> Tensor:
        """Source ids and mask (B, S) -> (B, S, D)."""
        x = self.embed(source, torch.arange(source.shape[1]).expand_as(source))
        for layer in self.encoder:
            x = layer(x, mask[:, None, None])
        normal: Tensor = self.norm_memory(x)
        return normal

    def encode(self, source: Tensor, mask: Tensor) -> list[Memory]:
        """Source ids and mask (B, S) -> what each decoder layer reads of them."""
        memory = self.memory(source, mask)
        return [layer.project(memory) for layer in self._decoder()]

    def step(
        self,
        token: Tensor,
        position: Tensor,
        memory: list[Memory],
        mask: Tensor,
        caches: list[Cache],
        ancestors: Tensor,
    ) -> tuple[Tensor, list[Cache], list[Tensor], list[Tensor]]:
        """One step: token, position (B, K), mask (B, S), caches of P entries, ancestors (B, K, P).

        Returns logits (B, K, V); of each layer this step's entries (B, N, K, D/N), the weights of
        self-attention (B, N, K, P + 1) and those of cross-attention (B, N, K, S).
        """
        x, entries, own, cross = self.embed(token, position), [], [], []
        for layer, of_source, cache in zip(self._decoder(), memory, caches, strict=True):
            x, new, backward, weights = layer.step(x, of_source, mask, cache, ancestors)
            entries.append(new)
            own.append(backward)
            cross.append(weights)
        return self.output(x), entries, own, cross

    def output(self, x: Tensor) -> Tensor:
        """(…, D) -> logits (…, V); the output embedding is the input embedding (§3.4)."""
        return scores(self.norm_output(x), self.embedding.weight, self.bias, self.sample)

    def hidden(self, source: Tensor, given: Tensor) -> Tensor:
        """Teacher-forced, without the output layer: source (B, S), given (B x K, T) -> (B x K, T, D).

        K answers to each source, one source's after the other: it is encoded once.
        """
        mask = source != self.pad
        memory, each = self.memory(source, mask), len(given) // len(source)
        memory, mask = memory.repeat_interleave(each, 0), mask.repeat_interleave(each, 0)
        x = self.embed(given, torch.arange(given.shape[1]).expand_as(given))
        for layer in self.decoder:
            x = layer(x, memory, mask[:, None, None])
        return x

    def forward(self, source: Tensor, given: Tensor) -> Tensor:
        """Teacher-forced: source (B, S), target inputs (B, T) -> logits (B, T, V)."""
        return self.output(self.hidden(source, given))

    def logits_at(self, source: Tensor, given: Tensor, real: Tensor) -> Tensor:
        """Logits (N, V) of the N positions where real (B x K, T) is true: padding costs no vocabulary product."""
        return self.output(self.hidden(source, given)[real])

    def logits_and_rows(self, source: Tensor, given: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """As `logits_at`, with the weights (B, T, S) of one head, the first of the last layer but one.

        For training that says where to look: which head that is told was found by Garg et al. 2019, §3.
        """
        mask, layers = source != self.pad, self._decoder()
        memory, told = self.memory(source, mask), max(0, len(layers) - 2)
        x = self.embed(given, torch.arange(given.shape[1]).expand_as(given))
        weights = x
        for i, layer in enumerate(layers):
            if i == told:
                x, weights = layer.looking(x, memory, mask[:, None, None])
            else:
                x = layer(x, memory, mask[:, None, None])
        return self.output(x[real]), weights[:, 0]

    def nothing(self, memory: list[Memory]) -> list[Cache]:
        """The caches before the first step: no entries."""
        return [Cache(some.keys[:, :, :0], some.values[:, :, :0]) for some in memory]

    def begin(self, source: Tensor) -> Any:
        """Source (B, S) -> what `follow` needs: one row a request, in search of a greedy answer."""
        mask = source != self.pad
        memory = self.encode(source, mask)
        return memory, mask, self.nothing(memory)

    def follow(self, token: Tensor, place: Any) -> tuple[Tensor, list[Tensor], Any]:
        """The last piece (B, 1) -> logits (B, 1, V) of the next, weights of each layer (B, N, 1, S), the new place."""
        memory, mask, caches = place
        said = caches[0].keys.shape[2]
        ancestors = torch.ones(len(token), 1, said, dtype=torch.bool)
        logits, entries, _, weights = self.step(token, torch.full_like(token, said), memory, mask, caches, ancestors)
        grown = [
            Cache(*(torch.cat(pair, 2) for pair in zip(*both, strict=True)))
            for both in zip(caches, entries, strict=True)
        ]
        return logits, weights, (memory, mask, grown)


def sinusoids(longest: int, width: int) -> Tensor:
    """Positions as sines and cosines of geometrically growing wavelengths (§3.5): (longest, D)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(longest)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
