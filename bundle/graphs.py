"""The graphs of a bundle as its manifest describes them: tensors, state, caches, attention, pictures.

Knows nothing of files beyond their names. Axes by name: B requests, K rows (beams) a request, S memory positions,
T target pieces, R state rows, P cache entries, C candidates, V vocabulary; a number is a fixed size.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

GraphName = Literal["encode", "step", "self"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tensor(Part):
    """A named input or output of a graph."""

    name: str
    dtype: Literal["int64", "int32", "float32", "float16", "bool", "uint8"]
    axes: tuple[str | int, ...]


class Graph(Part):
    """One ONNX graph in each precision it was exported in; all precisions share names and axes."""

    files: dict[str, str] = Field(description="precision (fp32, int8, fp16) to file name")
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def nearest(self, precision: str) -> str:
        """The precision that it is served in where this one is asked for: fp32 where this was not exported."""
        return next((one for one in (precision, "fp32") if one in self.files), next(iter(self.files)))


class State(Part):
    """A piece of decoder state: encode gives `name` (B, width); step takes and gives rows (R, width)."""

    name: str
    width: int


class Cache(Part):
    """What every step adds an entry to; `position` (B, 1) is the number of steps before this one.

    Of a request: step takes `name` (B, heads, P, width) and gives the new entries, `name_out` (B, heads, K, width).
    Which of the P entries a row may look at is the step graph's input `ancestors` (B, K, P).

    Of a row: step takes `name` (R, heads, P, width), R being B times K, and gives it back as `name_out` with the new
    entry of each row behind those it has. How many these are is the input `entries` (R,); `most` is how many the row
    that has most of them will have then, and may not exceed P. Where both are one piece of memory nothing is copied.
    """

    name: str
    heads: int
    width: int
    of: Literal["request", "row"] = "request"


class AttentionOutput(Part):
    """An output of the step graph that is attention.

    The manifest's first is what is shown by default, (B, K, S): the layer and head named, "mean" being the mean of
    the layer's heads. A second one is the attention of every layer and head, (B, K, layers, heads, S).
    """

    name: str
    kind: Literal["cross", "self", "spatial", "memory", "glimpse", "word"]
    layers: int = 1
    heads: int = 1
    default_layer: int = 0
    default_head: int | Literal["mean"] = 0
    stack: Literal["encoder", "decoder"] | None = Field(None, description="whose self-attention it is")


class ImageInput(Part):
    """How a picture becomes the graph's pixels, and the grid that attention looks at."""

    size: int
    mean: float
    scale: float
    rows: int
    cols: int
