"""Our Transformer's weights as a CTranslate2 model, and proof that it is the same net.

Runs where ctranslate2 is. Knows nothing of torch: the weights are the arrays that `weights` wrote.
python -m bench.peers.inside.conversion JOB FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import TransformerSpec

from bench.peers.inside.ctranslate2_engine import Engine

BOS = 2  # as in bundle.text, which needs more than is installed here
LEAST_SAME = 0.98  # of greedy answers in fp32: all but those where two pieces are equally good to six digits
Arrays = dict[str, np.ndarray]


def build(weights: Arrays, shape: dict[str, int], pieces: list[str], out: Path) -> None:
    """Write a CTranslate2 model: the same arrays under its names."""
    spec = TransformerSpec.from_config((shape["encoder"], shape["decoder"]), shape["heads"], pre_norm=True)
    spec.config.decoder_start_token = pieces[BOS]
    spec.encoder.scale_embeddings = spec.decoder.scale_embeddings = True  # by the root of their width
    spec.encoder.embeddings[0].weight = spec.decoder.embeddings.weight = weights["embedding.weight"]
    spec.encoder.position_encodings.encodings = spec.decoder.position_encodings.encodings = weights["positions"]
    spec.decoder.projection.weight, spec.decoder.projection.bias = weights["embedding.weight"], weights["bias"]
    _norm(spec.encoder.layer_norm, weights, "norm_memory")
    _norm(spec.decoder.layer_norm, weights, "norm_output")
    for side, stack in (("encoder", spec.encoder.layer), ("decoder", spec.decoder.layer)):
        for i, layer in enumerate(stack):
            _layer(layer, weights, f"{side}.{i}", decoder=side == "decoder")
    spec.register_source_vocabulary(pieces)
    spec.register_target_vocabulary(pieces)
    spec.validate()
    spec.optimize()
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))


def _layer(layer: Any, weights: Arrays, name: str, *, decoder: bool) -> None:
    own = f"{name}.own" if decoder else f"{name}.attention"
    _linear(layer.self_attention.linear[0], weights, f"{own}.query", f"{own}.key", f"{own}.value")
    _linear(layer.self_attention.linear[1], weights, f"{own}.out")
    _norm(layer.self_attention.layer_norm, weights, f"{name}.norms.0")
    if decoder:
        cross = f"{name}.cross"
        _linear(layer.attention.linear[0], weights, f"{cross}.query")
        _linear(layer.attention.linear[1], weights, f"{cross}.key", f"{cross}.value")
        _linear(layer.attention.linear[2], weights, f"{cross}.out")
        _norm(layer.attention.layer_norm, weights, f"{name}.norms.1")
    _linear(layer.ffn.linear_0, weights, f"{name}.inner.0")
    _linear(layer.ffn.linear_1, weights, f"{name}.inner.3")
    _norm(layer.ffn.layer_norm, weights, f"{name}.norms.{2 if decoder else 1}")


def _linear(spec: Any, weights: Arrays, *names: str) -> None:
    """One linear layer of several of ours, side by side."""
    spec.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([weights[f"{name}.bias"] for name in names])


def _norm(spec: Any, weights: Arrays, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def main() -> None:
    """Write FOLDER/model and print how many answers are those of torch; fails where greedy answers differ."""
    job, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    weights, shape = dict(np.load(folder / "weights.npz")), json.loads((folder / "shape.json").read_text())
    build(weights, shape, job["pieces"], folder / "model")
    engine, fixed = Engine(job, folder / "model"), {"compute": "float32", "batch": 32, "unit": "examples"}
    for beam, expected in json.loads((folder / "reference.json").read_text()).items():
        setting = {**fixed, "inter": 1, "intra": 2, "beam": int(beam), "attention": False, "inputs": len(expected)}
        same = sum(list(a) == b for a, b in zip(engine.play(setting).answers, expected, strict=True))
        print(f"beam {beam}: {same} of {len(expected)} answers the same;", end=" ")
        if beam == "1" and same < LEAST_SAME * len(expected):
            raise SystemExit(f"not the same net: {same} of {len(expected)} greedy answers agree")


if __name__ == "__main__":
    main()
