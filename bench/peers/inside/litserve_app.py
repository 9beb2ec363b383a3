"""Our bundle behind LitServe, with its dynamic batching.

Runs where litserve is. python -m bench.peers.inside.litserve_app
Annotations stay real: LitServe builds its route from them.
"""

from typing import Any, cast

import litserve
from starlette.requests import Request
from starlette.responses import Response

from bench.peers.inside.answering import Answering, Order, setup
from service.messages import Done

HOW = setup()
Pair = tuple[Order, list[Done]]


class App(litserve.LitAPI):
    """Every hook runs in the worker; the front only passes messages."""

    def setup(self, device: str) -> None:
        self.answering = Answering(HOW)

    def decode_request(self, request: Request) -> Order:
        return self.answering.read(
            cast(dict[str, Any], request)
        )  # so annotated, LitServe hands over the JSON's content

    def batch(self, inputs: list[Order]) -> list[Order]:
        return list(inputs)

    def predict(self, orders: list[Order] | Order) -> list[Pair] | Pair:
        if isinstance(orders, Order):
            return orders, self.answering.search([orders])[0]
        return list(zip(orders, self.answering.search(orders), strict=True))

    def unbatch(self, output: list[Pair]) -> list[Pair]:
        return output

    def encode_response(self, output: Pair) -> Response:
        return Response(self.answering.write(*output), media_type="application/json")


if __name__ == "__main__":
    api = App(max_batch_size=HOW.batch, batch_timeout=HOW.wait / 1e3, api_path="/v1/translate")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=HOW.workers, timeout=60)
    server.run(host="127.0.0.1", port=HOW.port, num_api_servers=1, generate_client_file=False, log_level="warning")
