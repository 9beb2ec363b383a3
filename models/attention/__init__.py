"""The attention contract, and every variant that keeps it, found by file.

Knows nothing of encoders, decoders, vocabularies or training.

One file a variant: `additive.py` holds `Additive`. A variant projects the memory once, scores it
against the decoder's state at each step, and keeps no state of its own between steps.
"""

from __future__ import annotations

import importlib

import torch
from torch import Tensor, nn

MASKED = -1e9  # finite, so that a row whose mask is empty by mistake gives numbers, not NaN, in fp16 graphs too


class Attention(nn.Module):
    """What every variant provides.

    Axes: B requests, K rows (beams) a request, S memory positions, M memory width,
    Q query width, A attention width.
    """

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        super().__init__()
        self.memory_width, self.query_width, self.attention_width = memory_width, query_width, attention_width

    def project(self, memory: Tensor) -> Tensor:
        """Turn memory (B, S, M) into keys (B, S, A), once a request."""
        raise NotImplementedError

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score every position: query (B, K, Q), keys (B, S, A) -> energies (B, K, S)."""
        raise NotImplementedError

    def forward(self, query: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """Weights (B, K, S) that are zero where mask (B, S) is False and sum to one elsewhere."""
        energies = self.score(query, keys).masked_fill(~mask[:, None, :], MASKED)
        return torch.softmax(energies, dim=-1)


def variant(name: str) -> type[Attention]:
    """The class of the variant in `models/attention/{name}.py`; its name is the file's, in CamelCase.

    Raises:
        ValueError: no such file, or the file does not define its one expected class.
    """
    expected = "".join(part.capitalize() for part in name.split("_"))
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as missing:
        raise ValueError(f"no attention variant {name!r}: expected a file models/attention/{name}.py") from missing
    found = getattr(module, expected, None)
    if not (isinstance(found, type) and issubclass(found, Attention)):
        raise ValueError(f"{module.__file__} must define class {expected}(Attention)")
    return found
