"""Self-attention told in one pass is that of the steps, and of the encoder as it is."""

from __future__ import annotations

import torch

from bundle.text import BOS, EOS
from models.nets.self_attention import self_attention
from models.nets.transformer import Cache, TransformerTranslator


@torch.no_grad()
def test_the_decoders_rows_are_those_of_the_steps_one_after_the_other() -> None:
    torch.manual_seed(1)
    net = TransformerTranslator(40, width=16, heads=2, inner=24, encoder_layers=2, decoder_layers=3).eval()
    source, given = torch.tensor([[7, 9, 11, EOS]]), torch.tensor([[BOS, 21, 22, 23, 24]])
    mask = source != net.pad
    encoder, decoder = self_attention(net, source, mask, given)
    assert encoder.shape == (1, 2, 2, 4, 4) and decoder.shape == (1, 3, 2, 5, 5)
    assert torch.allclose(encoder.sum(-1), torch.ones(1, 2, 2, 4)) and decoder[..., 0, 1:].abs().max() == 0
    memory = net.encode(source, mask)
    caches = net.nothing(memory)
    for t in range(5):
        ancestors = torch.ones(1, 1, t, dtype=torch.bool)
        token, position = given[:, t : t + 1], torch.tensor([[t]])
        _, entries, own, _ = net.step(token, position, memory, mask, caches, ancestors)
        for layer, weights in enumerate(own):
            assert torch.allclose(weights[:, :, 0], decoder[:, layer, :, t, : t + 1], atol=1e-6)
        caches = [
            Cache(torch.cat([past.keys, new.keys], 2), torch.cat([past.values, new.values], 2))
            for past, new in zip(caches, entries, strict=True)
        ]


@torch.no_grad()
def test_nobody_looks_at_padding() -> None:
    torch.manual_seed(1)
    net = TransformerTranslator(40, width=16, heads=2, inner=24, encoder_layers=1, decoder_layers=1).eval()
    source, given = torch.tensor([[7, 9, EOS, 0, 0]]), torch.tensor([[BOS, 21]])
    padded, decoder = self_attention(net, source, source != 0, given)
    alone, same = self_attention(net, source[:, :3], source[:, :3] != 0, given)
    assert padded[..., :3, 3:].max() < 1e-9
    assert torch.allclose(padded[..., :3, :3], alone, atol=1e-6) and torch.allclose(decoder, same, atol=1e-6)
