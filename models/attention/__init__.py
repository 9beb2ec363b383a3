"""The attention contract, and every variant that keeps it, found by file.

Knows nothing of encoders, decoders, vocabularies or training.

One file a variant: `additive.py` holds `Additive`. A variant projects the memory once a request and looks at it at each
step. What it must know from one step to the next, it carries as numbers in the decoder's state (`carried`); where it
looks at a window only, it says which. Nobody else, on this side or the serving side, knows one variant from another.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from models.deferred import Mix

MASKED = -1e9  # finite, so that a row whose mask is empty by mistake gives numbers, not NaN, in fp16 graphs too


class Look(NamedTuple):
    """What one step sees: context (B, K, M), weights (B, K, S), what is carried on (B, K, carried), and the first and
    last position of its window (B, K, 2), if it has one."""

    context: Tensor
    weights: Tensor
    carried: Tensor
    window: Tensor | None = None


class Attention(nn.Module):
    """What every variant provides; most need `score` alone.

    Axes: B requests, K rows (beams) a request, S memory positions, M memory width,
    Q query width, A key width.
    """

    carried = 0  # numbers kept from step to step
    maps = True  # whether its weights mean anything, and are served as a map
    windowed = False  # whether it looks at a window, and says at which

    def __init__(self, memory_width: int, query_width: int, attention_width: int) -> None:
        super().__init__()
        self.memory_width, self.query_width, self.attention_width = memory_width, query_width, attention_width
        self.mix = Mix()
        self.key: nn.Linear | None = None  # keys are key(memory); without it, memory itself

    @property
    def key_width(self) -> int | None:
        """A, or None where keys are the memory itself."""
        return None if self.key is None else self.key.out_features

    def project(self, memory: Tensor) -> Tensor:
        """Turn memory (B, S, M) into keys (B, S, A), once a request."""
        return memory if self.key is None else self.key(memory)

    def start(self, ends: Tensor) -> Tensor:
        """What is carried into the first step (B, carried), from the encoder's last states (B, M)."""
        return torch.zeros_like(ends[:, :1]).expand(-1, self.carried)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score every position: query (B, K, Q), keys (B, S, A) -> energies (B, K, S)."""
        raise NotImplementedError

    def forward(self, query: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """Weights (B, K, S) that are zero where mask (B, S) is False and sum to one elsewhere."""
        return softmax(self.score(query, keys), mask[:, None])

    def look(self, query: Tensor, memory: Tensor, keys: Tensor, mask: Tensor, carried: Tensor) -> Look:
        """One step: query (B, K, Q), memory (B, S, M), keys (B, S, A), mask (B, S), carried (B, K, carried)."""
        weights = self(query, keys, mask)
        return Look(self.mix(weights, memory), weights, carried)


def softmax(energies: Tensor, seen: Tensor) -> Tensor:
    """Weights over the positions that are seen, a boolean that broadcasts to the energies (B, K, S); zero elsewhere."""
    return torch.softmax(energies.masked_fill(~seen, MASKED), dim=-1)


def variants() -> list[str]:
    """The names of all variants, by their files."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def made(asked: str | dict[str, Any], memory_width: int, query_width: int, attention_width: int) -> Attention:
    """The attention a recipe asks for: a name, or {"name": NAME} with the variant's own options beside it."""
    options = {"name": asked} if isinstance(asked, str) else dict(asked)
    return variant(options.pop("name"))(memory_width, query_width, attention_width, **options)


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
