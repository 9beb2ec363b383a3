"""What tests of the process link ask again and again: a link over toy bundles, jobs that echo, and what came back."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bundle.zoo import named
from service.link.child import Child
from service.link.process import ProcessLink
from service.messages import Done, Failed, Hypothesis, Job, Link, Tokens
from tests.engine.jobs import job, sentence

REAL = (sys.executable, "-m", "service", "worker")
RISKY = (sys.executable, "-m", "tests.link.accidents")
PATIENCE = 90.0  # seconds until a test that waits gives up: far beyond what any machine needs
ROOT = str(Path(__file__).parents[2])


def environment(zoo: Path, **more: str) -> dict[str, str]:
    """Of a worker that serves the echo."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("HEED_")}
    settings = {"HEED_ZOO": str(zoo), "HEED_MODELS": "toy-echo", "HEED_PRECISION": "fp32", "HEED_THREADS": "1"}
    return bare | settings | {"HEED_ROWS": "16", "PYTHONPATH": ROOT} | more


@asynccontextmanager
async def started(
    zoo: Path, command: tuple[str, ...] = REAL, variables: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[ProcessLink]:
    """A link that runs. Its heartbeat is long: only a test of silence may see somebody killed for it."""
    given = {"rows": 16, "queue": 100_000, "heartbeat": PATIENCE, **options}
    variables = environment(zoo, **(variables or {}))
    models = variables["HEED_MODELS"].split(",")
    link = ProcessLink(named(zoo, models), command, environment=variables, zoo=zoo, **given)
    await asyncio.wait_for(link.start(), PATIENCE)
    try:
        yield link
    finally:
        await asyncio.wait_for(link.drain(0), PATIENCE)


def versions(toys: Path, folder: Path, *numbers: str) -> Path:
    """A zoo with the echo in these versions."""
    for number in numbers:
        shutil.copytree(toys / "toy-echo", folder / "toy-echo" / number)
        manifest = folder / "toy-echo" / number / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": number}))
    return folder


def guest(number: int, length: int = 20, **options: Any) -> Job:
    """A job of random pieces, always the same for a number."""
    one = job(sentence(np.random.default_rng(number), length), f"guest {number}", **options)
    return replace(one, model="toy-echo")


def beginning(piece: int) -> Job:
    """A job whose source begins with this piece."""
    return replace(job([piece, 10, 11], f"begins with {piece}"), model="toy-echo")


async def told(link: Link, one: Job) -> tuple[list[int], Hypothesis]:
    """What a job's tokens add up to, and its best hypothesis, after everything that holds for every answer."""
    said: list[int] = []
    async with asyncio.timeout(PATIENCE):
        async for event in link.submit(one):
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Tokens):
                assert event.kept <= len(said)
                assert one.options.beam_size > 1 or event.kept == len(said), "greedy tokens are final"
                said[event.kept :] = event.ids
            if isinstance(event, Done):
                return said, echoed(one, event)
    raise AssertionError("no end")


def echoed(one: Job, done: Done) -> Hypothesis:
    """The best hypothesis, which is the job's own source with the identity for its map."""
    best = done.hypotheses[0]
    assert done.job == one.id
    assert list(best.ids) == one.inputs["source"].tolist(), f"the answer of {one.id} is somebody else's"
    assert best.rows is not None
    assert np.array_equal(best.rows[:-1].argmax(-1), np.arange(len(best.ids) - 1))
    return best


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  conditions of other processes set no event
            await asyncio.sleep(0.01)


def worker(link: ProcessLink, place: int = 0) -> Child:
    """Who works at a place now."""
    child = link.supervisors[place].child
    assert child is not None
    return child


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not asked for its exit status does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def soon(seconds: float) -> float:
    """A deadline."""
    return time.monotonic() + seconds
