"""Our engine as a contestant: the very loop that serves, without a server.

Runs in our serving environment.
python -m bench.peers.inside.heed_engine JOB BUNDLE PRECISION THREADS
A turn: {"beam", "attention", "n_best", "rows", "newcomers", "sort"}
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.inside.turns import Setting, Turn, take_turns
from bundle import image
from bundle.manifest import Bundle
from bundle.text import EOS
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.messages import Done, Job, Options


class Engine:
    """A session and what it is asked."""

    def __init__(self, job: dict[str, Any], bundle: Bundle, precision: str) -> None:
        self.name, self.looks = bundle.manifest.name, bundle.manifest.image
        self.session = Session(bundle, precision=precision)
        self.longest, self.penalty = job["longest"], job["penalty"]
        self.sources = [np.array(ids, np.int64) for ids in job.get("sources", [])]
        self.files = [Path(name).read_bytes() for name in job.get("pictures", [])]

    def play(self, setting: Setting) -> Turn:
        """Answer everything once; what a text costs before its ids is left out, what a picture costs is not."""
        few, started = setting.get("inputs"), time.perf_counter()
        inputs = [{"pixels": self._pixels(one)} for one in self.files[:few]]
        inputs += [{"source": one} for one in self.sources[:few]]
        order = list(range(len(inputs)))
        if setting["sort"]:
            order.sort(key=lambda i: len(self.sources[i]))
        done = self._answers([inputs[i] for i in order], setting)
        seconds = time.perf_counter() - started
        found: list[list[int]] = [[]] * len(done)
        for place, one in zip(order, done, strict=True):
            best = one.hypotheses[0]
            found[place] = [int(i) for i in best.ids if i != EOS]
            if setting["attention"] and (best.rows is None or len(best.rows) != len(best.ids)):
                raise RuntimeError("an answer without its attention")
        return Turn(seconds, found)

    def _answers(self, inputs: list[dict[str, np.ndarray]], setting: Setting) -> list[Done]:
        options = Options(
            setting["beam"],
            n_best=setting["n_best"],
            length_penalty=self.penalty,
            max_length=self.longest,
            attention=setting["attention"],
        )
        jobs = [Job(str(place), self.name, one, options) for place, one in enumerate(inputs)]
        return answers(self.session, jobs, rows=setting["rows"], newcomers=setting["newcomers"])

    def _pixels(self, raw: bytes) -> np.ndarray:
        if self.looks is None:
            raise TypeError(f"{self.name} reads no pictures")
        return image.read(raw, size=self.looks.size, mean=self.looks.mean, scale=self.looks.scale).pixels


def main() -> None:
    """Load, then take turns."""
    job, bundle = json.loads(Path(sys.argv[1]).read_text()), Bundle(Path(sys.argv[2]))
    share_threads(int(sys.argv[4]))
    engine = Engine(job, bundle, sys.argv[3])
    take_turns(engine.play, {"engine": f"Heed, onnxruntime {importlib.metadata.version('onnxruntime')}"})


if __name__ == "__main__":
    main()
