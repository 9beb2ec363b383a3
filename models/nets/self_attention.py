"""The self-attention of a Transformer's stacks: the weights of every layer and head, for one source and one answer.

Vaswani et al. 2017, §3.2.3. Knows nothing of search: the answer is given. Training and the steps of a search use fused
kernels or leave these weights behind; whoever asks to see them has the whole answer said once more, in one pass.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.nets.transformer import MASKED, DecoderLayer, EncoderLayer, MultiHead, TransformerTranslator


def self_attention(net: TransformerTranslator, source: Tensor, mask: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
    """source and mask (B, S), given (B, T) target inputs, BOS first, -> weights of encoder and decoder.

    The encoder's are (B, L, N, S, S), the decoder's (B, L, N, T, T): row t is of the step that reads given[t].
    """
    encoder, decoder = [], []
    x = net.embed(source, torch.arange(source.shape[1]).expand_as(source))
    for layer in net.encoder:
        assert isinstance(layer, EncoderLayer)  # noqa: S101  a ModuleList forgets
        normal = layer.norms[0](x)
        looked, weights = _looking(layer.attention, normal, mask[:, None, None])
        x = x + looked
        x = x + layer.inner(layer.norms[1](x))
        encoder.append(weights)
    memory = net.norm_memory(x)
    steps = torch.arange(given.shape[1])
    before = steps[None, :] <= steps[:, None]
    x = net.embed(given, steps.expand_as(given))
    for layer in net.decoder:
        assert isinstance(layer, DecoderLayer)  # noqa: S101
        looked, weights = _looking(layer.own, layer.norms[0](x), before)
        x = x + looked
        x = x + layer.cross(layer.norms[1](x), memory, mask=mask[:, None, None])
        x = x + layer.inner(layer.norms[2](x))
        decoder.append(weights)
    return torch.stack(encoder, 1), torch.stack(decoder, 1)


def _looking(attention: MultiHead, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Self-attention of x (B, T, D) with its weights (B, N, T, T)."""
    energies = attention.scores(attention.split(attention.query(x)), attention.split(attention.key(x)))
    weights = torch.softmax(energies.masked_fill(~mask, MASKED), -1)
    return attention.merge(torch.matmul(weights, attention.split(attention.value(x)))), weights
