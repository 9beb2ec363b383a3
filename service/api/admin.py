"""The admin application: models listed, loaded, unloaded and preferred, on a listener of its own.

Knows nothing of keys: whoever checks them is handed in as ASGI middleware, and leaves `key_id` in the request's state
for the audit. (No postponed annotations here: FastAPI reads those of the functions below.)
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp

from service.api import metrics, openapi, problems
from service.api.headers import SecurityHeaders
from service.api.intake import Intake
from service.api.request_id import RequestIds, request_id
from service.errors import Conflict, HeedError
from service.messages import Link, Repository
from service.telemetry.meter import Meter

log = logging.getLogger("heed.audit")
LOCAL = "local"  # who acts where no keys are asked for: whoever reaches the listener
MOST_BYTES, SECONDS = 4096, 10.0  # of a body: a name and two switches
Guard = Callable[[ASGIApp], ASGIApp]


class Chosen(BaseModel):
    """A model."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=200, description="`name` or `name@version`.")


class Loaded(Chosen):
    """A model of the zoo to load; a name alone is its newest version."""

    default: bool = Field(False, description="Let its name alone mean this version from then on.")
    replace: bool = Field(False, description="The same, and unload the version that it meant before.")


class Preferred(Chosen):
    """A loaded version that its name alone is to mean."""

    first: bool = Field(False, description="Let it also be its task's default, for requests that name no model.")


class Stocked(BaseModel):
    """A version of a model."""

    id: str
    state: Literal["loaded", "leaving", "available"] = Field(description="available: in the zoo, not loaded")
    default: bool = Field(description="whether its name alone means it")
    bytes: int | None = Field(description="resident memory that it takes in all engines together, as measured")


class Stock(BaseModel):
    """What is there, after a change: of which model it was."""

    changed: str | None = None
    models: list[Stocked]


def create_admin(link: Link, guard: Guard | None = None, meter: Meter | None = None) -> FastAPI:
    """The application for whoever may change models; guard: middleware that refuses the others; meter: for /metrics."""
    app = FastAPI(
        title="Heed: models",
        version="0.1.0",
        summary="Models, changed while they are served",
        openapi_url=None,  # openapi.install has its own
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(_routes(link))
    if meter is not None:
        app.include_router(metrics.router(meter))
    openapi.install(app, {})
    problems.install(app)
    app.add_middleware(Intake, limit=MOST_BYTES, seconds=SECONDS, together=2**20)  # innermost
    app.add_middleware(problems.Net)
    if guard is not None:
        app.add_middleware(guard)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestIds)  # outermost
    return app


def _routes(link: Link) -> APIRouter:
    router = APIRouter(prefix="/v1/admin/models", tags=["models"], responses={"default": openapi.PROBLEM})

    @router.get("", summary="The models that are loaded, and those that could be")
    async def shown() -> Stock:
        return await _stock(_repository(link))

    @router.post("/load", summary="Load and warm a model; it is asked for from then on")
    async def load(asked: Loaded, request: Request) -> Stock:
        there = _repository(link)
        return await _done(
            request, asked, there, lambda: there.load(asked.model, default=asked.default, replace=asked.replace)
        )

    @router.post("/unload", summary="Unload a model, after it has finished what it was asked")
    async def unload(asked: Chosen, request: Request) -> Stock:
        there = _repository(link)
        return await _done(request, asked, there, lambda: there.unload(asked.model))

    @router.post("/default", summary="Choose what is meant by a name alone, and by no name at all")
    async def default(asked: Preferred, request: Request) -> Stock:
        there = _repository(link)
        return await _done(request, asked, there, lambda: there.prefer(asked.model, first=asked.first))

    return router


def _repository(link: Link) -> Repository:
    """Raises: Conflict: this link's models stay what they are."""
    if link.repository is None:
        raise Conflict("The models of this service are chosen at its start, and stay.")
    return link.repository


async def _done(request: Request, asked: Chosen, there: Repository, change: Callable[[], Awaitable[str]]) -> Stock:
    """Make a change, and note who made it and what came of it.

    Raises:
        HeedError: it was not made.
    """
    action, result, changed = request.url.path.rpartition("/")[2], "failed", None
    began = time.monotonic()
    try:
        changed = await change()
        result = "ok"
    except HeedError as error:
        result = error.code
        raise
    finally:
        line = {
            "action": action,
            **asked.model_dump(),
            "changed": changed,
            "by": getattr(request.state, "key_id", LOCAL),
            "result": result,
            "seconds": round(time.monotonic() - began, 3),
            "request": request_id(request.scope),
        }
        log.info("models %s", json.dumps(line), extra={"audit": line})
    return await _stock(there, changed)


async def _stock(there: Repository, changed: str | None = None) -> Stock:
    fields: list[dict[str, Any]] = [vars(one) for one in await there.shown()]
    return Stock(changed=changed, models=[Stocked(**one) for one in fields])
