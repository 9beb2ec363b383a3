"""A Transformer in onnxruntime's own nodes for attention, a cache a row.

Traced from torch, a layer's attention is some twenty small nodes, and reads as many cache entries for every row as the
guest who has most of them has. `GroupQueryAttention` reads those of each row, adds this step's and is one node;
`MultiHeadAttention` is the same for the source. CPU only: on CUDA the first knows no float32. Knows nothing of files.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.onnx.ops import symbolic_multi_out

from models.nets.transformer import MASKED, DecoderLayer, EncoderLayer, TransformerTranslator

MICROSOFT = "com.microsoft::"


class FusedEncode(nn.Module):
    """As `export.transformer._Encode`. Axes: B requests, S positions, L layers of the decoder, D width, d of a head."""

    def __init__(self, net: TransformerTranslator) -> None:
        super().__init__()
        self.net = net
        parts = [
            part for one in net.decoder if isinstance(one, DecoderLayer) for part in (one.cross.key, one.cross.value)
        ]
        self.weight = nn.Parameter(torch.cat([one.weight for one in parts]), requires_grad=False)
        self.bias = nn.Parameter(torch.cat([one.bias for one in parts]), requires_grad=False)

    def forward(self, source: Tensor, lengths: Tensor) -> list[Tensor]:
        """source (B, S), lengths (B,) -> keys and values of every layer (B, N, S, d)."""
        net, places = self.net, torch.arange(source.shape[1])
        x, looks = net.embed(source, places.expand_as(source)), (places[None] < lengths[:, None]).to(torch.int32)
        for layer in net.encoder:
            if isinstance(layer, EncoderLayer):
                own, normal = layer.attention, layer.norms[0](x)
                given = [own.query(normal), own.key(normal), own.value(normal), None, looks]
                x = x + own.out(_attention(given, own.heads, [x.shape]))
                x = x + layer.inner(layer.norms[1](x))
        of_all = functional.linear(net.norm_memory(x), self.weight, self.bias)
        apart = of_all.unflatten(-1, (2 * len(net.decoder), net.heads, -1)).permute(2, 0, 3, 1, 4)
        return list(apart.unbind(0))


def _attention(given: list[Tensor | None], heads: int, shapes: list[Any]) -> Any:
    """`MultiHeadAttention` of queries (B, T, D), keys and values, no bias, and where to look (B, S)."""
    how: dict[str, Any] = {"num_heads": heads, "mask_filter_value": MASKED}
    types = [torch.float32] * len(shapes)
    found = symbolic_multi_out(f"{MICROSOFT}MultiHeadAttention", given, how, dtypes=types, shapes=shapes, version=1)
    return found[0] if len(shapes) == 1 else found


class FusedCore(nn.Module):
    """As `export.transformer._Core`, for caches of a row. Axes: B requests, K rows each, R = B x K, D width."""

    def __init__(self, net: TransformerTranslator) -> None:
        super().__init__()
        self.net = net
        self.layers = nn.ModuleList(_Layer(one) for one in net.decoder if isinstance(one, DecoderLayer))

    def step(
        self,
        token: Tensor,
        mask: Tensor,
        position: Tensor,
        said: tuple[Tensor, Tensor],
        memory: list[tuple[Tensor, Tensor]],
        caches: list[tuple[Tensor, Tensor]],
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """token (B, K), mask (B, S), position (B, 1), entries (R,) and most, keys and values a layer.

        Returns logits (B, K, V), the caches with this step's entries, and the weights of all L layers (B, L, N, K, S).
        """
        x, looks, entries, energies = self.net.embed(token, position), mask.to(torch.int32), [], []
        for layer, of_source, cache in zip(self.layers, memory, caches, strict=True):
            x, new, of_layer = layer(x, looks, said, of_source, cache)
            entries += new
            energies.append(of_layer)
        weights = torch.softmax(torch.cat(energies, 1), -1)  # of all layers at once: three nodes less for each
        return self.net.output(x), entries, weights.unflatten(1, (len(self.layers), -1))


class _Layer(nn.Module):
    def __init__(self, layer: DecoderLayer) -> None:
        super().__init__()
        self.layer, own = layer, layer.own
        parts = (own.query, own.key, own.value)
        self.weight = nn.Parameter(torch.cat([one.weight for one in parts]), requires_grad=False)
        self.bias = nn.Parameter(torch.cat([one.bias for one in parts]), requires_grad=False)

    def forward(
        self,
        x: Tensor,
        looks: Tensor,
        said: tuple[Tensor, Tensor],
        memory: tuple[Tensor, Tensor],
        cache: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """x (B, K, D), looks (B, S) -> x, keys and values (R, N, P, d), masked energies of the source (B, N, K, S)."""
        layer, cross, heads = self.layer, self.layer.cross, self.layer.own.heads
        packed = functional.linear(layer.norms[0](x), self.weight, self.bias)
        rows = packed.reshape(-1, 1, packed.shape[-1])
        seen, keys, values = symbolic_multi_out(
            f"{MICROSOFT}GroupQueryAttention",
            [rows, None, None, *cache, *said],
            {"num_heads": heads, "kv_num_heads": heads},
            dtypes=[torch.float32] * 3,
            shapes=[(rows.shape[0], 1, x.shape[-1]), cache[0].shape, cache[1].shape],
            version=1,
        )
        x = x + layer.own.out(seen.reshape(x.shape))
        query = cross.query(layer.norms[1](x))
        energies_shape = (x.shape[0], heads, x.shape[1], looks.shape[1])
        nothing = (x.shape[0], heads, looks.shape[1], x.shape[-1] // heads)
        found, _, _, energies = _attention(
            [query, *memory, None, looks], heads, [x.shape, nothing, nothing, energies_shape]
        )
        x = x + cross.out(found)
        return x + layer.inner(layer.norms[2](x)), [keys, values], energies
