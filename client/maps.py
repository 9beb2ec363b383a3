"""Attention maps, typed: rows of weights, and what they and their keys stand for.

Knows nothing of HTTP. Spans count in the unit that was asked for (`offsets`; code points, as Python's strings do).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import notebook

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Item:
    """A word or a piece: `text[start:end]` of the whole text or answer."""

    i: int
    text: str
    start: int
    end: int
    logprob: float | None = None  # of an answer's: the sum over its pieces
    confidence: float | None = None  # exp of their mean: how sure the model was, not how right


@dataclass(frozen=True)
class TextKeys:
    """What rows over a text look at; the last, `</s>`, is its end."""

    items: list[Item]
    type: Literal["text"] = "text"


@dataclass(frozen=True)
class Size:
    """Of a picture, in pixels, upright."""

    width: int
    height: int


@dataclass(frozen=True)
class GridKeys:
    """What rows over a picture look at: cells, row by row, over its crop box (x0, y0, x1, y1)."""

    rows: int
    cols: int
    image: Size
    crop: tuple[float, ...]
    type: Literal["grid"] = "grid"


@dataclass(frozen=True)
class Trust:
    """How far to believe each row; what was not measured is None."""

    entropy: list[float] | None = None
    peak: list[float] | None = None
    special: list[float] | None = None
    coverage: list[float] | None = None
    flip_mask: list[bool] | None = None
    flip_uniform: list[bool] | None = None
    drop_mask: list[float] | None = None
    drop_uniform: list[float] | None = None


@dataclass(frozen=True)
class AttentionMap:
    """Where each item of an answer got its context from: a row of weights for each of `queries` over `keys`."""

    kind: str
    queries: list[Item]
    keys: TextKeys | GridKeys
    weights: list[list[float]]
    stack: str | None = None  # encoder or decoder, where a text is over itself
    layer: int = 0
    head: int | str = 0
    unit: str = "word"
    offsets: str = "codepoint"
    encoding: str = "float"
    gate: list[float] | None = None
    window: list[list[int]] | None = None
    sampled: list[int] | None = None
    trust: Trust | None = None

    @property
    def rows(self) -> list[list[float]]:
        """The weights as fractions, whatever they are written in."""
        return [[w / 255 for w in row] for row in self.weights] if self.encoding == "u8" else self.weights

    def to_numpy(self) -> np.ndarray:
        """The weights (queries, keys), or (queries, rows, cols) over a picture; needs numpy."""
        import numpy as np

        flat = np.asarray(self.rows, np.float32).reshape(len(self.queries), -1)
        grid = self.keys
        return flat.reshape(-1, grid.rows, grid.cols) if isinstance(grid, GridKeys) else flat

    def _repr_html_(self) -> str:
        return notebook.drawn(self)


@dataclass(frozen=True)
class Alignment:
    """Word links: character ranges `0:4-0:1`, and indices `0-0`."""

    proj: str
    pharaoh: str
