"""The manifest: what a bundle says of itself, read and checked. All that the engine knows of a model is here.

Knows nothing of torch, onnx or onnxruntime. Axes are named as in `bundle/graphs.py`.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from bundle.graphs import AttentionOutput, Cache, Graph, GraphName, ImageInput, Part, State
from bundle.text import Vocabulary

AT = "@"  # between a name and a version
WEIGHTS = "weights.{}.bin"  # what several graphs of a precision hold alike, where there is such a file
FORMAT = 1  # raised when an older Heed could not read a newer bundle


class BadBundle(ValueError):
    """A folder that is not a bundle we can serve: says which file and why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path, self.why = path, why


class Limits(Part):
    """What the model was made for."""

    source: int = Field(description="most source pieces, EOS included; grid cells for pictures")
    target: int = Field(description="most target pieces, EOS included")


class SearchDefaults(Part):
    """The search that gave the scores on the card."""

    beam_size: int = 5
    length_penalty: float = Field(1.0, description="a hypothesis scores sum(log p) / length ** length_penalty")


class Score(Part):
    """One measured figure, with the command that printed it."""

    metric: str
    value: float
    data: str
    command: str
    signature: str = ""


class Pair(Part):
    """Two languages; `tag` is the piece that stands before the text where a model must be told which target is meant
    (Johnson et al. 2017)."""

    source: str
    target: str
    tag: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, told: Any) -> Any:
        """Recipes write it short: source, target, and the tag if there is one."""
        return dict(zip(("source", "target", "tag"), told, strict=False)) if isinstance(told, list | tuple) else told

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"


class Manifest(Part):
    """See the module's docstring; written by export, read by everyone else."""

    format: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    task: Literal["translate", "caption"]
    loop: Literal["steps", "once"] = "steps"
    architecture: str
    description: str
    precedence: int = Field(
        0,
        description="where several would do and no model is named, the highest answers; of equals the first by name",
    )
    source: str | None = Field(None, description="language code of the text that goes in; none for pictures")
    target: str | None = Field(None, description="language code of what comes out; none where `pairs` has several")
    pairs: tuple[Pair, ...] = Field((), description="what a translator translates; by default `source` to `target`")
    input: Literal["text", "image"]
    graphs: dict[GraphName, Graph]
    memory: tuple[str, ...] = Field(description="outputs of encode that every step reads, axes (B, …, S, …)")
    states: tuple[State, ...]
    caches: tuple[Cache, ...] = ()
    attention: tuple[AttentionOutput, ...]
    self_attention: tuple[AttentionOutput, ...] = Field(
        (), description="outputs of the graph `self`, which says a whole answer at once: (B, layers, heads, S, S) or T"
    )
    extras: tuple[str, ...] = Field((), description="step outputs (B, K) kept per token, such as the gate of Xu et al.")
    vocabulary: str = Field(description="file name of the sentencepiece model")
    vocabulary_size: int
    image: ImageInput | None = None
    limits: Limits
    search: SearchDefaults = SearchDefaults()
    trained_on: tuple[str, ...]
    licence: str
    scores: tuple[Score, ...] = ()
    made_with: dict[str, str] = Field(default_factory=dict, description="versions, seed, command, parity figures")
    digests: dict[str, str] = Field(description="file name to sha256 of every other file of the bundle")

    @model_validator(mode="before")
    @classmethod
    def _paired(cls, told: Any) -> Any:
        """A source and a target are one pair, and one pair is a source and a target; so are languages all share."""
        if not isinstance(told, dict) or told.get("task") != "translate":
            return told
        if not told.get("pairs") and told.get("source") and told.get("target"):
            return {**told, "pairs": [{"source": told["source"], "target": told["target"]}]}
        each = [one for one in told.get("pairs", ()) if isinstance(one, dict | list | tuple) and len(one) > 1]
        for place, side in enumerate(("source", "target")):
            there = {one.get(side) if isinstance(one, dict) else one[place] for one in each}
            if len(there) == 1 and told.get(side) is None:
                told = {**told, side: there.pop()}
        return told

    @model_validator(mode="after")
    def _speaks(self) -> Self:
        if self.task == "caption" and (self.target is None or self.pairs):
            raise ValueError("a captioner has a target and no pairs")
        if self.task == "translate" and not self.pairs:
            raise ValueError("a translator has pairs, or a source and a target")
        twice = len({(pair.source, pair.target) for pair in self.pairs}) < len(self.pairs)
        ways = {(pair.source, pair.tag) for pair in self.pairs}
        if twice or len(ways) < len(self.pairs):
            raise ValueError("pairs of one source are told apart by their tags")
        for side, only in (("source", self.source), ("target", self.target)):
            if self.pairs and only is not None and {getattr(pair, side) for pair in self.pairs} != {only}:
                raise ValueError(f"{side} is not that of all pairs")
        return self

    @property
    def languages(self) -> str:
        """What goes in and what comes out, `en-de` or `de+fr-en`, for lists and labels."""
        sources = dict.fromkeys(pair.source for pair in self.pairs) or {self.source or self.input: None}
        targets = dict.fromkeys(pair.target for pair in self.pairs) or {str(self.target): None}
        return f"{'+'.join(sources)}-{'+'.join(targets)}"


class Bundle:
    """A folder with a manifest, ONNX graphs, a vocabulary and a model card, checked when it is made."""

    def __init__(self, path: Path) -> None:
        """Read and check a bundle.

        Raises:
            BadBundle: no manifest, one from the future or malformed, a missing file, or a wrong digest.
        """
        self.path = path
        self.manifest = read_manifest(path / "manifest.json")
        named = {self.manifest.vocabulary, *(f for g in self.manifest.graphs.values() for f in g.files.values())}
        for name in sorted(named | set(self.manifest.digests)):
            _check(path / name, self.manifest.digests.get(name))
        for needed in ("encode", "step") if self.manifest.loop == "steps" else ("encode",):
            if needed not in self.manifest.graphs:
                raise BadBundle(path / "manifest.json", f"has no {needed} graph")

    @property
    def id(self) -> str:
        """What names this very version, wherever it lies."""
        return f"{self.manifest.name}{AT}{self.manifest.version}"

    @property
    def least_bytes(self) -> int:
        """The size of its graphs in their smallest precision: loaded, it takes more than that."""
        return min(self.bytes_in(precision) for graph in self.manifest.graphs.values() for precision in graph.files)

    def bytes_in(self, precision: str) -> int:
        """The size of its graphs in a precision, with the weights that they share."""
        used = {graph.nearest(precision) for graph in self.manifest.graphs.values()}
        shared = {WEIGHTS.format(one) for one in used} & self.manifest.digests.keys()
        files = {self.graph(name, precision) for name in self.manifest.graphs} | {self.path / name for name in shared}
        return sum(file.stat().st_size for file in files)

    @cached_property
    def text(self) -> Vocabulary:
        """The vocabulary, loaded when first asked for."""
        try:
            return Vocabulary(self.path / self.manifest.vocabulary)
        except ValueError as broken:
            raise BadBundle(self.path / self.manifest.vocabulary, str(broken)) from broken

    def tag(self, pair: Pair) -> tuple[int, ...]:
        """The ids that stand before a text of this pair: one, or none.

        Raises:
            BadBundle: the vocabulary has no such piece.
        """
        if pair.tag is None:
            return ()
        try:
            return (self.text.id(pair.tag),)
        except ValueError as missing:
            raise BadBundle(self.path / self.manifest.vocabulary, f"has no piece {pair.tag}") from missing

    def graph(self, name: GraphName, precision: str) -> Path:
        """The file of a graph in a precision, falling back to fp32 where that precision was not exported."""
        graph = self.manifest.graphs[name]
        return self.path / graph.files[graph.nearest(precision)]


def digest(path: Path) -> str:
    """sha256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file, its format checked before its shape so that the future is named as such.

    Raises:
        BadBundle: there is none, or none that this Heed can read.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as missing:
        raise BadBundle(path, "cannot be read") from missing
    except ValueError as broken:
        raise BadBundle(path, "is not JSON") from broken
    made_for = content.get("format") if isinstance(content, dict) else None
    if isinstance(made_for, int) and made_for > FORMAT:
        raise BadBundle(path, f"has format {made_for}; this Heed reads up to {FORMAT}: upgrade the service")
    try:
        return Manifest.model_validate(content)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadBundle(path, f"{where or 'manifest'}: {first['msg']}") from wrong


def _check(path: Path, expected: str | None) -> None:
    """Raise BadBundle unless the file is there and has the digest that the manifest gives."""
    if not path.is_file():
        raise BadBundle(path, "is missing")
    if expected is None:
        raise BadBundle(path, "has no digest in the manifest")
    if digest(path) != expected:
        raise BadBundle(path, "does not have the digest in the manifest")
