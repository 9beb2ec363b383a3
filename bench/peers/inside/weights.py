"""A Transformer translator's weights as plain arrays, and what torch itself says in fp32, to check a conversion by.

Runs where torch is. Knows nothing of the engines that read them.
python -m bench.peers.inside.weights JOB OUT (--run RUN | --random WIDTH,HEADS,INNER,LAYERS)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.peers.inside.eager import Transformer, decode
from bench.peers.inside.eager_engine import searching, trained
from bundle.text import EOS
from models.data import padded
from models.nets.transformer import TransformerTranslator


def drawn(sizes: list[int], vocabulary: int) -> TransformerTranslator:
    """A net nobody trained, of this size, from a seed; lively enough that answers differ."""
    width, heads, inner, layers = sizes
    torch.manual_seed(1)
    net = TransformerTranslator(
        vocabulary, width=width, heads=heads, inner=inner, encoder_layers=layers, decoder_layers=layers
    )
    torch.nn.init.normal_(net.bias, std=0.5)
    for norm in (net.norm_memory, net.norm_output):
        torch.nn.init.normal_(norm.weight, mean=1.0, std=0.2)
        torch.nn.init.normal_(norm.bias, std=0.2)
    return net


def reference(net: Transformer, job: dict[str, Any], beam: int, few: int) -> list[list[int]]:
    """What torch answers to the first few inputs, in fp32."""
    sources = torch.from_numpy(padded(job["sources"][:few]))
    found = decode(net, sources, beam=beam, longest=job["longest"], penalty=job["penalty"])
    return [[i for i in one.ids if i != EOS] for one in found]


def main() -> None:
    """Write OUT/weights.npz, OUT/shape.json and OUT/reference.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--random", default="256,4,1024,3")
    parser.add_argument("--few", type=int, default=100)
    given = parser.parse_args()
    job = json.loads(given.job.read_text())
    sizes = [int(one) for one in given.random.split(",")]
    steps = trained(given.run, len(job["pieces"])) if given.run else searching(drawn(sizes, len(job["pieces"])).eval())
    if not isinstance(steps, Transformer):
        raise SystemExit(f"{given.run}: not a Transformer")
    net = steps.net
    arrays: dict[str, Tensor] = {**net.state_dict(), "positions": net.get_buffer("positions")}
    given.out.mkdir(parents=True, exist_ok=True)
    np.savez(given.out / "weights.npz", allow_pickle=False, **{name: one.numpy() for name, one in arrays.items()})
    shape = {"heads": net.heads, "encoder": len(net.encoder), "decoder": len(net.decoder)}
    (given.out / "shape.json").write_text(json.dumps(shape))
    answers = {str(beam): reference(steps, job, beam, given.few) for beam in (1, 5)}
    (given.out / "reference.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
