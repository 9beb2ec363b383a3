"""Writing a bundle: graphs in the precisions asked for, vocabulary, manifest with digests, model card.

Knows nothing of how graphs are made or judged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from bundle.graphs import Graph, Tensor
from bundle.manifest import FORMAT, WEIGHTS, Manifest, Score, digest
from export.card import card
from export.plan import Plan
from export.shared import save

Graphs = Mapping[str, Mapping[str, onnx.ModelProto]]  # graph (encode, step) to precision to model


def write(
    folder: Path, plan: Plan, graphs: Graphs, vocabulary: Path, described: Mapping[str, Any], made_with: dict[str, str]
) -> Manifest:
    """Write a whole bundle; described holds the manifest's fields that only a person can give (a recipe's `card`)."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    shutil.copyfile(vocabulary, folder / "vocabulary.model")
    files: dict[str, dict[str, str]] = {}
    for graph, by_precision in graphs.items():
        files[graph] = {precision: f"{graph}.{precision}.onnx" for precision in by_precision}
    for precision in sorted({one for by_precision in graphs.values() for one in by_precision}):
        there = [graph for graph in graphs if precision in graphs[graph]]
        models = {folder / files[graph][precision]: graphs[graph][precision] for graph in there}
        save(models, folder / WEIGHTS.format(precision))
    manifest = Manifest.model_validate(
        {
            **plan.fields,
            **described,
            "format": FORMAT,
            "graphs": {name: _graph(name, plan, files[name]).model_dump() for name in files},
            "memory": [one.name for one in plan.memory],
            "states": [one.model_dump() for one in plan.states],
            "caches": [one.model_dump() for one in plan.caches],
            "attention": [one.model_dump() for one in plan.attention],
            "self_attention": [one.model_dump() for one in plan.self_attention],
            "extras": plan.extras,
            "vocabulary": "vocabulary.model",
            "made_with": made_with,
            "digests": {},
        }
    )
    return seal(folder, manifest)


def _graph(name: str, plan: Plan, files: dict[str, str]) -> Graph:
    """What the manifest says of a graph."""
    if name == "encode":
        begun = [Tensor(name=one.name, dtype="float32", axes=("B", one.width)) for one in plan.states]
        return Graph(files=files, inputs=plan.encode_inputs, outputs=(*plan.memory, *begun))
    if name == "self":
        return Graph(files=files, inputs=plan.own_inputs, outputs=plan.own_outputs)
    return Graph(files=files, inputs=plan.step_inputs, outputs=plan.step_outputs)


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write the model card and the manifest with the digests of everything else; returns the manifest as written."""
    (folder / "README.md").write_text(card(manifest, _size(folder)))
    files = sorted(path.name for path in folder.iterdir() if path.name != "manifest.json")
    sealed = manifest.model_copy(update={"digests": {name: digest(folder / name) for name in files}})
    (folder / "manifest.json").write_text(json.dumps(sealed.model_dump(mode="json"), indent=1) + "\n")
    return sealed


def add_scores(folder: Path, manifest: Manifest, scores: list[Score]) -> Manifest:
    """Replace the scores that these measure anew, and seal the bundle again."""
    anew = {(one.metric, one.data) for one in scores}
    kept = [one for one in manifest.scores if (one.metric, one.data) not in anew]
    return seal(folder, manifest.model_copy(update={"scores": (*kept, *scores)}))


def _size(folder: Path) -> int:
    """Bytes of the graphs, their weights and the vocabulary."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".onnx", ".bin", ".model"))
