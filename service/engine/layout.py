"""What a model keeps between its steps, and what its steps tell: the manifest, as the table needs it.

Knows nothing of graphs or of guests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bundle.manifest import Manifest


@dataclass(frozen=True)
class Layout:
    """Names of tensors by their part in the loop."""

    states: Sequence[str] = ()  # (R, width): replaced at every step
    caches: Mapping[str, tuple[int, int]] | None = None  # name to heads N and width d: grown by an entry at every step
    of_rows: bool = False  # whether caches are a row's (bundle.graphs.Cache)
    axes: Mapping[str, int] | None = None  # of memory: name to its axis S; 1 if not said
    positions: int = 0  # memory positions of the longest input
    row: Sequence[str] = ()  # the attention that is shown by default, (B, K, S), and scalars such as a gate
    heads: Sequence[str] = ()  # the attention of every layer and head, (B, K, layers, heads, S)

    @classmethod
    def of(cls, manifest: Manifest) -> Layout:
        """The layout of a bundle."""
        shown, *others = manifest.attention or (None,)
        graph = manifest.graphs["encode"]
        tensors = {one.name: one for one in graph.outputs}
        return cls(
            states=[state.name for state in manifest.states],
            caches={one.name: (one.heads, one.width) for one in manifest.caches},
            of_rows=any(one.of == "row" for one in manifest.caches),
            axes={name: tensors[name].axes.index("S") for name in manifest.memory if name in tensors},
            positions=manifest.limits.source,
            row=[*([shown.name] if shown else []), *manifest.extras],
            heads=[one.name for one in others],
        )
