"""The routes: one for each task, found by its file, and those about the service itself.

Knows nothing of any one task. (No postponed annotations here: FastAPI reads those of functions made in a loop.)
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api import accept, bodies, cards, openapi
from service.api.desk import Desk, Render
from service.api.metrics import Counts
from service.api.presence import ClientGone, while_there
from service.api.request_id import request_id
from service.api.stream import EVENTS, stream
from service.api.watch import NOBODY_THERE, note
from service.maps.formats import FORMATS
from service.tasks.answer import Answer
from service.tasks.contract import Task

RENDERS: dict[str, Render | None] = {bodies.JSON: None} | {media: format_.render for media, format_ in FORMATS.items()}
TEXT = ("text/plain", "text/html")
Charge = Callable[[Scope, int], Awaitable[None]]  # counts the beam rows of a request; raises where they are too many


def about(desk: Desk, counts: Counts) -> APIRouter:
    """Models and health."""
    router = APIRouter()
    wrong: dict[int | str, dict[str, Any]] = {"default": openapi.PROBLEM}

    @router.get("/v1/models", summary="The models that are loaded", tags=["models"], responses=wrong)
    async def models() -> cards.Cards:
        return cards.cards(desk.link.bundles)

    @router.get("/v1/models/{model}", summary="One model's card, and how it fares", tags=["models"], responses=wrong)
    async def model(model: str) -> cards.Fared:
        card = cards.card_named(desk.link.bundles, model)
        return cards.Fared(**dict(card), statistics=counts.statistics(card.name))

    @router.get("/health/live", summary="Whether the process answers", tags=["health"])
    async def live() -> cards.Health:
        return cards.Health(models=list(desk.link.bundles))

    @router.get("/health/ready", summary="Whether a request would be worked on now", tags=["health"], responses=wrong)
    @router.get("/health", summary="The same as /health/ready", tags=["health"], responses=wrong)
    async def ready() -> cards.Health:
        return cards.ready(desk.link)

    return router


def work(desk: Desk, tasks: Mapping[str, Task[Any, Any]], ping_seconds: float, charge: Charge) -> APIRouter:
    """POST /v1/{task} for every task."""
    router = APIRouter()
    for task in tasks.values():
        router.add_api_route(
            f"/v1/{task.name}",
            _endpoint(desk, task, ping_seconds, charge),
            methods=["POST"],
            name=task.name,
            summary=task.summary,
            description=(task.request.__doc__ or "").strip(),
            tags=["work"],
            response_model=Answer,
            responses=openapi.responses(task, list(FORMATS)),
            openapi_extra={"requestBody": openapi.request_body(task)},
        )
    return router


def _endpoint(
    desk: Desk, task: Task[Any, Any], ping_seconds: float, charge: Charge
) -> Callable[[], Awaitable[Response]]:
    async def endpoint() -> Response:
        return _Work(desk, task, ping_seconds, charge)

    return endpoint


class _Work(Response):
    """An answer that is made while it is sent, because a stream begins before its end is known."""

    def __init__(self, desk: Desk, task: Task[Any, Any], ping_seconds: float, charge: Charge) -> None:
        super().__init__()
        self.desk, self.task, self.ping_seconds, self.charge = desk, task, ping_seconds, charge
        self.streams = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold a place from when the body has been read until there is an answer, or until the end of a stream."""
        request = Request(scope, receive)
        media = accept.choose(request.headers.get("accept"), [*RENDERS, EVENTS])
        with self.desk.place():
            parse = await bodies.read(request, self.task)
            size = None if self.task.upload else len(await request.body())  # read above: this one is at hand
            try:
                response = await while_there(request, self._answered(parse, size, media, scope, send))
            except ClientGone:
                note(scope, status=NOBODY_THERE)
                response = Response(status_code=NOBODY_THERE)
        if not self.streams:
            await response(scope, receive, send)

    async def _answered(self, parse: bodies.Parse, size: int | None, media: str, scope: Scope, send: Send) -> Response:
        """The answer; a stream has been sent then, and what is returned stands for nothing."""
        asked = parse if media != EVENTS else lambda: parse().model_copy(update={"stream": True})
        async with self.desk.understood(self.task, asked, request_id(scope), size=size) as order:
            note(scope, order=order)
            await self.charge(scope, order.rows())
            if order.asked.stream:
                with self.desk.streaming():
                    self.streams = True
                    failure = await stream(self.desk, order, send, self.ping_seconds)
                if failure is not None:
                    note(scope, status=failure.status, code=failure.code)
                return Response()
            body, timings = await self.desk.answer(order, RENDERS[media])
        headers = {"Server-Timing": _server_timing(timings), "Vary": "Accept", "Cache-Control": "no-store"}
        charset = "; charset=utf-8" if media in TEXT else ""
        return Response(body, headers=headers, media_type=media + charset)


def _server_timing(timings: Mapping[str, float]) -> str:
    """W3C Server-Timing, in milliseconds."""
    return ", ".join(f"{phase};dur={1000 * seconds:.3f}" for phase, seconds in timings.items())
