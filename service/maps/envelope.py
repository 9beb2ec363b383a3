"""The attention envelope: one shape for every task's map, as JSON and as numpy.

Knows nothing of models, engines, HTTP or drawing. It holds arrays and code points; only the wire has other forms.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FieldSerializationInfo,
    WithJsonSchema,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core.core_schema import ValidationInfo

Unit = Literal["word", "piece"]
OffsetUnit = Literal["codepoint", "utf16", "utf8"]
Encoding = Literal["float", "u8"]
Kind = Literal["cross", "self", "spatial", "memory", "glimpse", "word"]
Head = int | Literal["mean"]
EOS_TEXT = "</s>"  # how the source's end shows among the keys

Weights = Annotated[
    np.ndarray,
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
]


class Shape(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")


class Item(Shape):
    """A word or piece of a text: `text[start:end]` of the whole input or answer, counted in the map's `offsets`."""

    i: int
    text: str
    start: int
    end: int


class Query(Item):
    """A word or piece of the answer, with the sum of its pieces' log-probabilities."""

    logprob: float | None = None
    confidence: float | None = Field(
        None,
        description="exp of the mean log-probability of its pieces, 0 to 1: how sure it was, not how right.",
    )


class TextKeys(Shape):
    """Words or pieces of the source; the last, `</s>`, is its end: an empty span that belongs to no word."""

    type: Literal["text"] = "text"
    items: list[Item]


class Picture(Shape):
    """Size of the picture as sent, in pixels, after its EXIF rotation."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)


class GridKeys(Shape):
    """Cells of a picture, row by row; the grid lies over `crop` = [x0, y0, x1, y1] of the picture."""

    type: Literal["grid"] = "grid"
    rows: int = Field(gt=0)
    cols: int = Field(gt=0)
    image: Picture
    crop: tuple[int, int, int, int]


class Trust(Shape):
    """How far to believe a map's rows, one number each. The last four come with `trust: measured`.

    A word changed if, at one of its pieces' steps, another piece would have been the most probable one.
    """

    entropy: list[float] = Field(description="−Σα log α / log(keys): 0 looks at one key, 1 at all alike")
    peak: list[float] = Field(description="the largest weight")
    special: list[float] | None = Field(None, description="the weight on `</s>`, which is no word")
    coverage: list[float] | None = Field(None, description="of each key: the sum of its weights over all rows")
    flip_mask: list[bool] | None = Field(None, description="whether it changes if its strongest position is masked")
    flip_uniform: list[bool] | None = Field(None, description="whether it changes under uniform attention")
    drop_mask: list[float] | None = Field(None, description="how much log-probability that mask costs it")
    drop_uniform: list[float] | None = Field(None, description="and uniform attention")

    def first(self, rows: int, keys: int) -> Trust:
        """That of a map's first rows and keys."""
        cut = {name: value and value[: keys if name == "coverage" else rows] for name, value in self}
        return self.model_copy(update=cut)

    def undecided(self) -> list[int]:
        """The rows that did not decide their words: neither trial changes them."""
        trials = zip(self.flip_mask or (), self.flip_uniform or (), strict=True)
        return [i for i, flips in enumerate(trials) if not any(flips)]


class AttentionMap(Shape):
    """Where each query's context came from: weights (queries, keys), rows that sum to one; local-p's, at most."""

    kind: Kind
    stack: Literal["encoder", "decoder"] | None = Field(None, description="Whose words look at each other, where self.")
    layer: int = 0
    head: Head = 0
    unit: Unit = "word"
    offsets: OffsetUnit = "codepoint"
    queries: list[Query]
    keys: TextKeys | GridKeys = Field(discriminator="type")
    encoding: Encoding = Field("float", description="u8: round(255·w), for small answers")
    weights: Weights
    gate: list[float] | None = Field(None, description="β of Xu et al. 2015 §4.2.1, one a query")
    window: list[tuple[int, int]] | None = Field(
        None, description="The first and the last key that each query could look at, where the model looks at a window."
    )
    sampled: list[int] | None = Field(
        None, description="The key that each query's context was taken from, where the model's attention is hard."
    )
    trust: Trust | None = None

    @field_validator("weights", mode="before")
    @classmethod
    def _decode(cls, weights: Any, info: ValidationInfo) -> np.ndarray:
        """Lists are the wire's form, in the map's encoding; arrays are weights already."""
        array = np.asarray(weights, np.float32)
        wired = not isinstance(weights, np.ndarray) and info.data.get("encoding") == "u8"
        return array / np.float32(255) if wired else array

    @field_serializer("encoding")
    def _told(self, encoding: Encoding, info: FieldSerializationInfo) -> Encoding:
        """The whole answer's, where that says one (its context's `encoding`)."""
        asked: Encoding | None = (info.context or {}).get("encoding")
        return asked or encoding

    @field_serializer("weights")
    def _encode(self, weights: np.ndarray, info: FieldSerializationInfo) -> Any:
        """Rows of numbers with four decimals, or of whole ones up to 255."""
        exact = weights.astype(np.float64)
        if self._told(self.encoding, info) == "u8":
            return np.rint(255 * exact).astype(int).tolist()
        return exact.round(4).tolist()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        keys = len(self.keys.items) if isinstance(self.keys, TextKeys) else self.keys.rows * self.keys.cols
        if self.weights.shape != (len(self.queries), keys):
            raise ValueError(f"weights {self.weights.shape} do not fit {len(self.queries)} queries × {keys} keys")
        for name, values in (("gate", self.gate), ("window", self.window), ("sampled", self.sampled)):
            if values is not None and len(values) != len(self.queries):
                raise ValueError(f"{name} has {len(values)} values for {len(self.queries)} queries")
        return self

    def array(self) -> np.ndarray:
        """The weights as a float32 array (queries, keys)."""
        return self.weights
