"""Our bundle behind BentoML, with its adaptive batching.

Runs where bentoml is. bentoml serve bench.peers.inside.bentoml_app:App
Its batched APIs take and give lists: a request brings a list of one, and its answer is one in a list.
"""

from __future__ import annotations

from typing import Any

import bentoml

from bench.peers.inside.answering import Answering, setup
from service.tasks.answer import Answer

HOW = setup()


@bentoml.service(
    workers=HOW.workers,
    traffic={"timeout": 60},
    logging={"access": {"enabled": False}},
)
class App:
    """One a worker."""

    def __init__(self) -> None:
        self.answering = Answering(HOW)

    @bentoml.api(batchable=True, max_batch_size=HOW.batch, max_latency_ms=round(HOW.wait), route="/v1/translate")
    def answer(self, asked: list[dict[str, Any]]) -> list[Answer]:
        orders = [self.answering.read(one) for one in asked]
        return [self.answering.written(*pair) for pair in zip(orders, self.answering.search(orders), strict=True)]
