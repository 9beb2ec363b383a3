"""Our engine as a contestant: the very loop that serves, without a server.

Runs in our serving environment.
python -m bench.peers.inside.heed_engine JOB BUNDLE PRECISION THREADS [ENGINES]
A turn: {"beam", "attention", "n_best", "rows", "newcomers", "sort"}; with several engines each is a process, as when
serving, and takes every n-th input.
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE
from typing import Any

import numpy as np

from bench.peers.inside.turns import Setting, Turn, take_turns
from bundle import image
from bundle.manifest import Bundle
from bundle.text import EOS
from service.engine.loop import Loop
from service.engine.offline import AS_SERVED, served
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
        self.loop: Loop | None = None  # as when serving it stays from turn to turn, until a setting asks for another
        self.seats: dict[str, int] = {}

    def play(self, setting: Setting) -> Turn:
        """Answer everything once; what a text costs before its ids is left out, what a picture costs is not."""
        few, started = setting.get("inputs"), time.perf_counter()
        inputs = [{"pixels": self._pixels(one)} for one in self.files[:few]]
        inputs += [{"source": one} for one in self.sources[:few]]
        order = list(range(len(inputs)))
        if setting["sort"]:
            order.sort(key=lambda i: len(self.sources[i]))
        first, every = setting.get("share", (0, 1))
        order = order[first::every]
        done = self._answers([inputs[i] for i in order], setting)
        seconds = time.perf_counter() - started
        found: list[list[int]] = [[]] * len(inputs)
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
        return served(self._loop({name: setting[name] for name in ("rows", "newcomers")}), jobs)

    def _loop(self, seats: dict[str, int]) -> Loop:
        if self.loop is None or seats != self.seats:
            self.seats = seats
            self.loop = Loop(self.session, self.name, queue=0, rules=AS_SERVED, **seats)
        return self.loop

    def _pixels(self, raw: bytes) -> np.ndarray:
        if self.looks is None:
            raise TypeError(f"{self.name} reads no pictures")
        return image.read(raw, size=self.looks.size, mean=self.looks.mean, scale=self.looks.scale).pixels


class Crew:
    """An engine here and others in processes of their own, who share the inputs."""

    def __init__(self, engine: Engine, others: int) -> None:
        command = [sys.executable, "-m", "bench.peers.inside.heed_engine", *sys.argv[1:5]]
        self.engine = engine
        self.others = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(others)]  # noqa: S603
        for one in self.others:
            self._heard(one)  # its hello: it has loaded

    def play(self, setting: Setting) -> Turn:
        """Everybody's share at once; over when the last is done."""
        started, every = time.perf_counter(), len(self.others) + 1
        for place, one in enumerate(self.others, 1):
            if one.stdin is None:
                raise RuntimeError("a process without an input")
            one.stdin.write(json.dumps({**setting, "share": [place, every], "answers": True}) + "\n")
            one.stdin.flush()
        own = self.engine.play({**setting, "share": [0, every]})
        told = [self._heard(one) for one in self.others]
        seconds = time.perf_counter() - started
        found = [max(each, key=len) for each in zip(own.answers, *(one["answers"] for one in told), strict=True)]
        return Turn(seconds, found, sum(one["rss_mb"] for one in told))

    def _heard(self, one: subprocess.Popen[str]) -> dict[str, Any]:
        if one.stdout is None or not (line := one.stdout.readline()):
            raise RuntimeError("an engine of the crew is gone")
        said: dict[str, Any] = json.loads(line)
        return said


def main() -> None:
    """Load, then take turns."""
    job, bundle = json.loads(Path(sys.argv[1]).read_text()), Bundle(Path(sys.argv[2]))
    share_threads(int(sys.argv[4]))
    engine, others = Engine(job, bundle, sys.argv[3]), int(sys.argv[5]) - 1 if len(sys.argv) > 5 else 0
    about = {"engine": f"Heed, onnxruntime {importlib.metadata.version('onnxruntime')}"}
    take_turns(Crew(engine, others).play if others else engine.play, about)


if __name__ == "__main__":
    main()
