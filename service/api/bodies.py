"""A request's body as its task's typed request: JSON, a multipart form, or the bytes of a picture.

Knows nothing of any one task. Bytes are read here, on the event loop; what turns them into a request is handed back
as a function, because a large body must not hold up everybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request

from service.api.form import parts
from service.api.problems import meaning
from service.errors import ImageMissing, Meaningless, Where, WrongMediaType
from service.tasks.contract import Asked, Task

JSON, FORM, BYTES = "application/json", "multipart/form-data", "application/octet-stream"
FILE = "file"  # the form field that holds the picture

Parse = Callable[[], Asked]


def accepted(task: Task[Any, Any]) -> list[str]:
    """The media types that a task's body may have."""
    return [JSON, FORM, "image/*", BYTES] if task.upload else [JSON]


async def read(request: Request, task: Task[Any, Any]) -> Parse:
    """Read the body, and hand back what makes a request of it.

    Raises:
        WrongMediaType: the task takes no such body.
    """
    media = media_of(request)
    if media == JSON:
        return _json(task, await request.body(), request.query_params)
    if task.upload and media == FORM:
        return _form(task, request.headers["content-type"], await request.body(), request.query_params)
    if task.upload and (media.startswith("image/") or media == BYTES):
        return from_fields(task, {**_options(request.query_params, task.upload), task.upload: await request.body()})
    raise WrongMediaType(f"The body may be {', '.join(accepted(task))}.")


def media_of(request: Request) -> str:
    """The body's media type.

    Raises:
        WrongMediaType: it is compressed.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise WrongMediaType("The body may not be compressed.")  # a small one could be a very large one
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower()


def _json(task: Task[Any, Any], body: bytes, query: Mapping[str, str]) -> Parse:
    if query:
        places = tuple(Where(f"?{name[:80]}", "beside a JSON body, options belong in the body") for name in query)
        raise Meaningless("Beside a JSON body, options belong in the body, not in the query.", errors=places[:20])
    return from_json(task, body)


def from_json(task: Task[Any, Any], body: bytes) -> Parse:
    """What makes a request of a JSON body."""
    return _parse(lambda: task.request.model_validate_json(body))


def from_fields(task: Task[Any, Any], fields: Mapping[str, Any]) -> Parse:
    """What makes a request of fields by name."""
    return _parse(lambda: task.request.model_validate(fields))


def _parse(validate: Callable[[], Asked]) -> Parse:
    """The same, its findings as errors of ours."""

    def parse() -> Asked:
        try:
            return validate()
        except ValidationError as wrong:
            raise meaning(wrong) from None

    return parse


def _form(task: Task[Any, Any], content_type: str, body: bytes, query: Mapping[str, str]) -> Parse:
    def parse() -> Any:
        file, texts = parts(content_type, body, FILE)
        if file is None:
            raise ImageMissing(f"The form has no file named {FILE}.", errors=(Where(f"/{FILE}", "is missing"),))
        options = _options({**query, **texts}, str(task.upload))
        return from_fields(task, {**options, str(task.upload): file})()

    return parse


def _options(given: Mapping[str, str], upload: str) -> dict[str, str]:
    """Options from a query or a form, among which the picture cannot be."""
    if upload in given:
        raise Meaningless(
            "The picture is the body, not an option.", errors=(Where(f"/{upload}", "is the body here, not an option"),)
        )
    return dict(given)
