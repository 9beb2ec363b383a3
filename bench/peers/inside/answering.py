"""What a request-level batching server does for a batch: read every request, search all to the end, write every answer.

Runs in the environment of a peer. Knows nothing of any one server. The work is that of our own service, line for line:
the same parsing, session, search, maps and JSON; only who is searched with whom is the peer's to decide, and whether
those who have ended leave their batch at once, as with us, or keep their rows to its end, as batches usually do.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.peers.inside.batches import Whole
from bundle.manifest import Bundle
from service.engine.loop import Loop
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.messages import Done
from service.tasks import discover
from service.tasks.answer import Answer
from service.tasks.contract import Asked, Bounds, Encoded
from service.tasks.documents import by_text, joined


class Order(NamedTuple):
    """A request that was understood."""

    asked: Asked
    encoded: Sequence[Encoded[Any]]
    began: float


class Setup(NamedTuple):
    """How a peer is run; from BENCH_… variables, because not every server passes arguments on."""

    bundle: Path
    precision: str
    port: int
    threads: int  # a worker
    workers: int
    batch: int  # requests searched together, at most
    leaving: bool  # whether who has ended leaves a batch at once
    wait: float  # ms that the first of a batch waits for others, or the latency aimed at where the peer asks for that


def setup() -> Setup:
    """What the bench asked for."""
    raw = {name: os.environ[f"BENCH_{name.upper()}"] for name in Setup._fields}
    numbers = {name: int(raw[name]) for name in ("port", "threads", "workers", "batch")}
    told: dict[str, Any] = {**numbers, "precision": raw["precision"], "leaving": raw["leaving"] == "True"}
    return Setup(bundle=Path(raw["bundle"]), wait=float(raw["wait"]), **told)


class Answering:
    """One bundle, loaded; one a worker."""

    def __init__(self, how: Setup) -> None:
        share_threads(how.threads)
        self.bundle = Bundle(how.bundle)
        self.session = Session(self.bundle, precision=how.precision)
        self.kind = Loop if how.leaving else Whole
        self.task = discover()[self.bundle.manifest.task]
        self.bounds = Bounds()

    def read(self, body: bytes | dict[str, Any]) -> Order:
        """A request, from JSON or from what a server made of it."""
        began = time.monotonic()
        model = self.task.request
        asked = model.model_validate_json(body) if isinstance(body, bytes) else model.model_validate(body)
        return Order(asked, self.task.encode(asked, self.bundle, self.bounds, {}), began)

    def search(self, orders: Sequence[Order]) -> list[list[Done]]:
        """All jobs of a batch, to the end of the longest: that is request-level batching."""
        jobs = [one.job for order in orders for one in order.encoded]
        rows = sum(job.options.beam_size for job in jobs)
        done = iter(answers(self.session, jobs, rows=max(32, rows), newcomers=len(jobs), kind=self.kind))
        return [[next(done) for _ in order.encoded] for order in orders]

    def written(self, order: Order, done: Sequence[Done]) -> Answer:
        """An answer like our own."""
        pairs = zip(order.encoded, done, strict=True)
        each = [self.task.decode(order.asked, self.bundle, one.kept, [end]) for one, end in pairs]
        texts = by_text([one.part for one in order.encoded], each)
        results = [joined(parts, its, order.asked.offsets) for parts, its in texts]
        timings = {"total": round(time.monotonic() - order.began, 6)}
        return Answer(id=uuid.uuid4().hex, model=self.bundle.manifest.name, timings=timings, results=results)

    def write(self, order: Order, done: Sequence[Done]) -> bytes:
        """An answer like our own, as JSON."""
        return self.written(order, done).model_dump_json(exclude_none=True).encode()
