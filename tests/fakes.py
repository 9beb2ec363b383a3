"""A link that echoes: its answer and its attention are functions of its input, so that a mix-up between guests shows.

Knows nothing of graphs: its bundles hold a real vocabulary, a real manifest, and files that only look like graphs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from bundle.manifest import Bundle, digest
from bundle.shelf import Shelf
from bundle.text import EOS, train_vocabulary
from service.errors import Draining, HeedError
from service.messages import Done, Event, Failed, Hypothesis, Job, Repository, Tokens
from service.telemetry.figures import Vitals

SENTENCES = (
    "the quick brown fox jumps over the lazy dog",
    "a small house stands near the old river",
    "two children play with a red ball in the park",
    "ein kleines Haus steht am Fluss",
    "Straße, Äpfel und Öl: schöne Grüße!",
    "dark grey bright white",
)
SIDE, GRID = 8, (2, 4)  # of the captioner's picture; its grid is wider than high, so that a transpose shows
SHADES = ("dark", "grey", "bright", "white")


def tiny_bundle(folder: Path, name: str, /, **changes: Any) -> Path:
    """A folder with everything that a bundle has; changes go into its manifest."""
    path = folder / name
    path.mkdir(parents=True)
    vocabulary = train_vocabulary(SENTENCES, path / "vocabulary", 160)
    for graph in ("encode", "step"):
        (path / f"{graph}.onnx").write_bytes(f"not really the {graph} graph of {name}".encode())
    files = [vocabulary.name, "encode.onnx", "step.onnx"]
    for leftover in path.glob("*.vocab"):
        leftover.unlink()
    manifest = described(name) | {"digests": {file: digest(path / file) for file in files}} | changes
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


def described(name: str) -> dict[str, Any]:
    """A translator's manifest without its digests."""
    return {
        "name": name,
        "version": "0",
        "task": "translate",
        "architecture": "echo",
        "description": "says what it hears",
        "source": "en",
        "target": "de",
        "input": "text",
        "graphs": {
            graph: {"files": {"fp32": f"{graph}.onnx"}, "inputs": [], "outputs": []} for graph in ("encode", "step")
        },
        "memory": [],
        "states": [],
        "attention": [{"name": "attention", "kind": "cross"}],
        "vocabulary": "vocabulary.model",
        "vocabulary_size": 160,
        "limits": {"source": 40, "target": 30},
        "search": {"beam_size": 4, "length_penalty": 0.8},
        "trained_on": ["nothing"],
        "licence": "CC0-1.0",
    }


def captioner(folder: Path, name: str = "tiny-caption") -> Path:
    """A bundle that captions pictures of SIDE × SIDE."""
    rows, cols = GRID
    return tiny_bundle(
        folder,
        name,
        task="caption",
        input="image",
        source=None,
        target="en",
        attention=[{"name": "attention", "kind": "spatial"}],
        extras=["gate"],
        image={"size": SIDE, "mean": 127.0, "scale": 128.0, "rows": rows, "cols": cols},
        limits={"source": rows * cols, "target": 30},
    )


class FakeLink:
    """See `service.messages.Link`. Tests set how it behaves, and read jobs, seated, cancelled and drained."""

    def __init__(self, bundles: Mapping[str, Bundle]) -> None:
        self.bundles = Shelf(bundles.values())
        self.repository: Repository | None = None
        self.held: list[str] = []  # by whom a model is kept from leaving
        self.jobs: list[Job] = []
        self.seated: set[str] = set()
        self.cancelled: list[str] = []
        self.refusal: HeedError | None = None  # raised at the first step
        self.error: HeedError | Exception | None = None  # what comes instead of the end
        self.hang = self.started = self.drained = False  # hang: nothing comes, until the drain
        self.halt: int | None = None  # hang after so many Tokens
        self.pace: asyncio.Semaphore | None = None  # taken for each of the Tokens, and for the end
        self.untold = 0  # of the last tokens, how many only the end tells of
        self.heads, self.blur = (0, 0), 0.0
        self.arrived = asyncio.Semaphore(0)
        self.stopped = asyncio.Event()
        self.told = Vitals()

    async def start(self) -> None:
        self.started = True

    def ready(self) -> bool:
        return self.started and not self.drained

    def vitals(self) -> Vitals:
        return self.told

    def hold(self, model: str) -> AbstractContextManager[object]:
        self.held.append(model)
        held = ExitStack()
        held.callback(self.held.remove, model)
        return held

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        if self.refusal is not None or self.drained:
            raise self.refusal or Draining(retry_after=5)
        self.jobs.append(job)
        self.seated.add(job.id)
        self.arrived.release()
        over = False
        try:
            await (self.stopped.wait() if self.hang else asyncio.sleep(0))
            for i, tokens in enumerate(self.tokens(job) if job.options.stream else ()):
                if i == self.halt:
                    await self.stopped.wait()
                    break
                await self.turn()
                yield tokens
            await self.turn()
            end = self.end(job)
            over = True
            yield end
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += [] if over else [job.id]
            raise
        finally:
            self.seated.discard(job.id)

    async def turn(self) -> None:
        if self.pace is not None:
            await self.pace.acquire()

    def end(self, job: Job) -> Event:
        if self.drained:
            return Failed(job.id, Draining(retry_after=5))
        if isinstance(self.error, HeedError):
            return Failed(job.id, self.error)
        if self.error is not None:
            raise self.error
        return Done(job.id, tuple(self.echo(job, rank) for rank in range(job.options.n_best)), TIMINGS)

    def tokens(self, job: Job) -> list[Tokens]:
        """Greedy: one by one. In a beam the last word leads at first, and is taken back."""
        said = self.echo(job, 0)
        spoken = range(len(said.ids) - (said.ids[-1] == EOS) - self.untold)
        steps = [(0, spoken[-1]), *((i, i) for i in spoken)] if job.options.beam_size > 1 else [(i, i) for i in spoken]
        return [
            Tokens(
                job.id,
                kept,
                said.ids[i : i + 1],
                said.logprobs[i : i + 1],
                None if said.rows is None else said.rows[i : i + 1],
                {name: values[i : i + 1] for name, values in said.extras.items()},
            )
            for kept, i in steps
        ]

    async def drain(self, seconds: float) -> None:
        """What hangs is not ready in time, whatever that is."""
        self.drained = True
        self.stopped.set()

    async def arrivals(self, jobs: int) -> None:
        """Wait until as many more jobs have come."""
        for _ in range(jobs):
            await self.arrived.acquire()

    def echo(self, job: Job, rank: int) -> Hypothesis:
        """The words that came in, each looking at itself; a lower rank lacks as many of the last ones."""
        heard, rows = self.hear(job)
        ids = [*job.options.prefix, *heard[len(job.options.prefix) :]][: max(1, len(heard) - rank)]
        ids = [*ids, EOS][: job.options.max_length]
        rows = rows[np.minimum(np.arange(len(ids)), len(rows) - 1)]
        rows = (1 - self.blur) * rows + self.blur / rows.shape[1]
        if self.heads != (0, 0):
            rows = np.stack([np.roll(rows, shift, axis=-1) for shift in range(np.prod(self.heads))], axis=1)
            rows = rows.reshape(len(ids), *self.heads, -1)
        return Hypothesis(
            ids=ids,
            logprobs=np.full(len(ids), -0.125, np.float32),
            score=-0.25 * (rank + 1),
            finish_reason="stop" if ids[-1] == EOS else "length",
            rows=rows if job.options.attention else None,
            extras={"gate": np.full(len(ids), 0.5, np.float32)} if "pixels" in job.inputs else {},
        )

    def hear(self, job: Job) -> tuple[list[int], np.ndarray]:
        """Ids to say and the rows (T, S) they are said with."""
        if "source" in job.inputs:
            heard = job.inputs["source"].tolist()
            return heard[:-1], np.eye(len(heard), dtype=np.float32)
        cells = brightness(job.inputs["pixels"])
        shade = SHADES[min(3, int(4 * cells.mean()))]
        ids = self.bundles[job.model].text.ids(shade)
        rows = np.zeros((len(ids) + 1, cells.size), np.float32)
        rows[:, cells.argmax()] = 1
        return ids, rows


TIMINGS = {"queue": 0.001, "encode": 0.002, "decode": 0.003}


def brightness(pixels: np.ndarray) -> np.ndarray:
    """(3, H, W) normalised pixels to the mean brightness of each cell of the grid, 0 to 1, row by row."""
    rows, cols = GRID
    grey = (pixels.mean(axis=0) * 128 + 127) / 255
    cells: np.ndarray = grey.reshape(rows, SIDE // rows, cols, SIDE // cols).mean(axis=(1, 3)).ravel()
    return cells
