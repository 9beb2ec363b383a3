"""Our nets in plain PyTorch as a contestant: sorted, batched, with the beam search of `eager`.

Runs where torch is. Knows nothing of bundles: the weights are those of a training run.
python -m bench.peers.inside.eager_engine JOB RUN THREADS
A turn: {"beam", "attention", "batch"}
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.peers.inside import eager
from bench.peers.inside.turns import Setting, Turn, take_turns
from bundle import image
from bundle.text import BOS, EOS, PAD, UNK
from models.data import padded
from models.nets.captioner import Captioner
from models.nets.transformer import TransformerTranslator
from models.nets.translator import RecurrentTranslator

SILENT = -1e9  # as export does: these are never said


def trained(run: Path, vocabulary: int) -> eager.Steps:
    """The net of a run's best.pt, ready to search."""
    kept = torch.load(run / "best.pt", weights_only=True)
    part = dict(kept["recipe"]["net"])
    kind = part.pop("kind", "recurrent")
    net: Captioner | RecurrentTranslator | TransformerTranslator
    if kept["recipe"]["task"] == "captioning":
        net = Captioner(vocabulary, **part)
    elif kind == "transformer":
        net = TransformerTranslator(vocabulary, **part)
    else:
        net = RecurrentTranslator(vocabulary, **part)
    net.load_state_dict(kept["net"])
    return searching(net.eval())


def searching(net: Captioner | RecurrentTranslator | TransformerTranslator) -> eager.Steps:
    """A net as `eager.decode` drives it; PAD, UNK and BOS are never said."""
    with torch.no_grad():
        net.bias[[PAD, UNK, BOS]] = SILENT
    if isinstance(net, Captioner):
        return eager.Captions(net)
    return eager.Recurrent(net) if isinstance(net, RecurrentTranslator) else eager.Transformer(net)


class Engine:
    """A net and what it is asked."""

    def __init__(self, job: dict[str, Any], net: eager.Steps) -> None:
        self.net, self.longest, self.penalty = net, job["longest"], job["penalty"]
        self.looks: dict[str, Any] = job.get("image", {})
        self.sources: list[list[int]] = job.get("sources", [])
        self.files = [Path(name).read_bytes() for name in job.get("pictures", [])]

    def play(self, setting: Setting) -> Turn:
        """Answer everything once, texts of like length together."""
        few, started = setting.get("inputs"), time.perf_counter()
        files, sources = self.files[:few], self.sources[:few]
        order = sorted(range(len(files) + len(sources)), key=lambda i: 0 if files else len(sources[i]))
        answers: list[list[int]] = [[]] * len(order)
        for first in range(0, len(order), setting["batch"]):
            places = order[first : first + setting["batch"]]
            batch = self._pixels([files[i] for i in places]) if files else _padded([sources[i] for i in places])
            found = eager.decode(
                self.net,
                batch,
                beam=setting["beam"],
                longest=self.longest,
                penalty=self.penalty,
                attention=setting["attention"],
            )
            for place, one in zip(places, found, strict=True):
                answers[place] = [i for i in one.ids if i != EOS]
        return Turn(time.perf_counter() - started, answers)

    def _pixels(self, files: Sequence[bytes]) -> Tensor:
        return torch.from_numpy(np.stack([image.read(one, **self.looks).pixels for one in files]))


def _padded(sources: list[list[int]]) -> Tensor:
    return torch.from_numpy(padded(sources))


def main() -> None:
    """Load, then take turns."""
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(int(sys.argv[3]))
    engine = Engine(job, trained(Path(sys.argv[2]), len(job["pieces"])))
    take_turns(engine.play, {"engine": f"PyTorch {torch.__version__}, eager, fp32"})


if __name__ == "__main__":
    main()
