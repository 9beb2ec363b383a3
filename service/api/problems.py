"""Every error as application/problem+json (RFC 9457), whoever raised it.

Knows nothing of tasks. Never shows a stack trace, and never the user's text: messages of unforeseen errors are
neither answered nor logged, only their type and place.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.dialect import dialect_of
from service.api.request_id import request_id
from service.api.watch import NOBODY_THERE, note
from service.errors import HeedError, InternalError, Malformed, Meaningless, Refused, Where, tree

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS, MOST_POINTER = 20, 200  # a request with a thousand mistakes is not answered with a thousand lines
KEPT = ("allow", "cache-control", "connection", "retry-after")  # headers of an error that hold in every dialect
RETRY = 5  # seconds, where an error names none
log = logging.getLogger("heed.api")


class Place(BaseModel):
    """One wrong place in a request."""

    pointer: str = Field(description="JSON Pointer into the request (RFC 6901)")
    detail: str


class Problem(BaseModel):
    """What went wrong, by RFC 9457; `code` is stable and `type` is the page about it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[Place] | None = None
    limit: int | float | None = None
    actual: int | float | None = None
    retry_after: int | None = Field(None, description="seconds")
    request_id: str


def told(error: HeedError, asked: str) -> Problem:
    """What is told of an error of the request with this id."""
    return Problem(
        type=f"/docs/errors#{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        instance=f"urn:heed:request:{asked}",
        code=error.code,
        errors=[Place(pointer=place.pointer, detail=place.detail) for place in error.errors] or None,
        limit=error.limit,
        actual=error.actual,
        retry_after=retry_after(error),
        request_id=asked,
    )


def retry_after(error: HeedError) -> int | None:
    """Seconds after which to ask again; every refusal for want of room or of an engine says some."""
    return RETRY if error.retry_after is None and error.status in (429, 503) else error.retry_after


def problem(error: HeedError, asked: str) -> Response:
    """The answer for an error."""
    body, headers = told(error, asked), {"Cache-Control": "no-store"}
    if body.retry_after is not None:
        headers["Retry-After"] = str(body.retry_after)
    if error.status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not read
    return Told(error, body.model_dump_json(exclude_none=True), headers)


class Told(Response):
    """A problem, in the dialect of whoever asked; whoever watches learns its code."""

    def __init__(self, error: HeedError, body: str, headers: Mapping[str, str]) -> None:
        super().__init__(body, error.status, headers, MEDIA_TYPE)
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        note(scope, code=self.error.code)
        if (dialect := dialect_of(scope)) is None:
            await super().__call__(scope, receive, send)
            return
        status, body = dialect.tell(self.error)
        kept = {name: value for name, value in self.headers.items() if name in KEPT}
        retold = Response(body.model_dump_json(), status, kept, "application/json")
        await retold(scope, receive, send)


def meaning(wrong: ValidationError | RequestValidationError) -> HeedError:
    """pydantic's findings as one error: 400 if the body is not even JSON, 422 if it means nothing to us."""
    found = wrong.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return Malformed("The body is not valid JSON.")
    places = _deepest([Where(pointer(one["loc"]), str(one["msg"])) for one in found[:MOST_ERRORS]])
    first, (limit, actual) = places[0], _figures(found)
    return Meaningless(f"{first.pointer or 'The body'}: {first.detail}.", errors=places, limit=limit, actual=actual)


def _deepest(places: list[Where]) -> tuple[Where, ...]:
    """Without those that another one is inside of: a union complains of each of its branches."""
    return tuple(one for one in places if not any(other.pointer.startswith(one.pointer + "/") for other in places))


def pointer(place: tuple[int | str, ...]) -> str:
    """A JSON Pointer to a pydantic place; the branches of a union, which are ours, are left out."""
    parts = [str(part) for part in place if part != "str" and not str(part).startswith(("list[", "function-"))]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)[:MOST_POINTER]


def _figures(found: Any) -> tuple[float | None, float | None]:
    """Limit and actual, where there is one finding and it is a crossed bound."""
    bounds = [one["ctx"][name] for one in found for name in ("ge", "le", "gt", "lt") if name in one.get("ctx", {})]
    value = found[0].get("input") if len(found) == 1 else None
    return (bounds[0], value) if len(bounds) == 1 and isinstance(value, int | float) else (None, None)


class Net:
    """ASGI middleware: whatever falls out of the app becomes a problem, if the answer has not begun."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:  # while its body was read
            note(scope, status=NOBODY_THERE)
        except Exception as error:
            if scope["type"] != "http":
                raise
            found = foreseen(error, request_id(scope))
            if not begun:
                await problem(found, request_id(scope))(scope, receive, send)


def foreseen(error: Exception, asked: str) -> HeedError:
    """The error itself if it is one of ours; another is logged (type and places, its message may quote the user)."""
    if isinstance(error, HeedError):
        return error
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("request %s: %s at %s", asked, type(error).__name__, " < ".join(reversed(frames[-8:])))
    return InternalError("Something of ours went wrong; the log has the request's id.")


def install(app: FastAPI) -> None:
    """Answer our errors, FastAPI's and Starlette's alike."""

    async def ours(request: Request, error: Exception) -> Response:
        found = error if isinstance(error, HeedError) else InternalError()
        return problem(found, request_id(request.scope))

    async def validation(request: Request, error: Exception) -> Response:
        found = meaning(error) if isinstance(error, ValidationError | RequestValidationError) else InternalError()
        return problem(found, request_id(request.scope))

    async def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        response = problem(_of_status(status), request_id(request.scope))
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    app.add_exception_handler(HeedError, ours)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)


def _of_status(status: int) -> HeedError:
    """The error that stands for a status of Starlette's own."""
    return BY_STATUS.get(status, Malformed if status < 500 else InternalError)()


BY_STATUS = {kind.status: kind for kind in reversed(tree()) if kind.status < 500 and kind is not Refused}
