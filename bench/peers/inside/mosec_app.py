"""Our bundle behind Mosec, with its dynamic batching.

Runs where mosec is. python -m bench.peers.inside.mosec_app --port PORT (Mosec reads its arguments itself)
"""

from __future__ import annotations

from mosec import Server, Worker

from bench.peers.inside.answering import Answering, Order, setup
from service.messages import Done

HOW = setup()
Pair = tuple[Order, list[Done]]


class App(Worker):
    """One stage: reading and writing next to the search, as in the other peers."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = Answering(HOW)

    def deserialize(self, data: bytes) -> Order:
        return self.answering.read(bytes(data))

    def forward(self, data: list[Order] | Order) -> list[Pair] | Pair:
        if isinstance(data, Order):
            return data, self.answering.search([data])[0]
        return list(zip(data, self.answering.search(data), strict=True))

    def serialize(self, data: Pair) -> bytes:
        return self.answering.write(*data)


if __name__ == "__main__":
    server = Server()
    server.append_worker(
        App,
        num=HOW.workers,
        max_batch_size=HOW.batch,
        max_wait_time=max(1, round(HOW.wait)),
        timeout=60,
        route="/v1/translate",
    )
    server.run()
