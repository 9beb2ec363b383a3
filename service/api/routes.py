"""The routes: one for each task, found by its file, and those about the service itself.

Knows nothing of any one task. (No postponed annotations here: FastAPI reads those of functions made in a loop.)
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import accept, bodies, cards, openapi
from service.api.desk import Desk, Render
from service.api.presence import ClientGone, while_there
from service.api.request_id import request_id
from service.maps.formats import FORMATS
from service.tasks.contract import Answer, Task

RENDERS: dict[str, Render | None] = {bodies.JSON: None} | {media: format_.render for media, format_ in FORMATS.items()}
NOBODY_THERE = 499  # nginx's number; only the log sees it
TEXT = ("text/plain", "text/html")


def about(desk: Desk) -> APIRouter:
    """Models and health."""
    router = APIRouter()
    wrong: dict[int | str, dict[str, Any]] = {"default": openapi.PROBLEM}

    @router.get("/v1/models", summary="The models that are loaded", tags=["models"], responses=wrong)
    async def models() -> cards.Cards:
        return cards.Cards(models=[cards.card(bundle.manifest) for bundle in desk.link.bundles.values()])

    @router.get("/v1/models/{model}", summary="One model's card", tags=["models"], responses=wrong)
    async def model(model: str) -> cards.Card:
        return cards.card_named(desk.link.bundles, model)

    @router.get("/health/live", summary="Whether the process answers", tags=["health"])
    async def live() -> cards.Health:
        return cards.Health(models=list(desk.link.bundles))

    @router.get("/health/ready", summary="Whether a request would be worked on now", tags=["health"], responses=wrong)
    @router.get("/health", summary="The same as /health/ready", tags=["health"], responses=wrong)
    async def ready() -> cards.Health:
        return cards.ready(desk.link)

    return router


def work(desk: Desk, tasks: Mapping[str, Task[Any, Any]]) -> APIRouter:
    """POST /v1/{task} for every task."""
    router = APIRouter()
    for task in tasks.values():
        router.add_api_route(
            f"/v1/{task.name}",
            _endpoint(desk, task),
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


def _endpoint(desk: Desk, task: Task[Any, Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        media = accept.choose(request.headers.get("accept"), list(RENDERS))
        asked_as = request_id(request.scope)
        with desk.place():
            parse = await bodies.read(request, task)
            try:
                asking = desk.ask(task, parse, asked_as, RENDERS[media])
                body, timings = await while_there(request, asking)
            except ClientGone:
                return Response(status_code=NOBODY_THERE)
        headers = {"Server-Timing": _server_timing(timings), "Vary": "Accept", "Cache-Control": "no-store"}
        charset = "; charset=utf-8" if media in TEXT else ""
        return Response(body, headers=headers, media_type=media + charset)

    return endpoint


def _server_timing(timings: Mapping[str, float]) -> str:
    """W3C Server-Timing, in milliseconds."""
    return ", ".join(f"{phase};dur={1000 * seconds:.3f}" for phase, seconds in timings.items())
