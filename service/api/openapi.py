"""What FastAPI cannot see by itself, written into the OpenAPI document: bodies by media type, formats, problems.

Knows nothing of any one task.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from service.api.bodies import BYTES, FILE, FORM, JSON
from service.api.problems import MEDIA_TYPE, Problem
from service.api.stream import EVENTS, framed
from service.errors import Broken, HeedError, Unavailable, tree
from service.tasks.contract import Task
from service.tasks.live import DoneEvent, HypothesisEvent, StartEvent, TokenEvent

REF = "#/components/schemas/{model}"
PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=Problem.__name__)}}},
}
STREAM = (
    "As server-sent events, for `stream: true` or by that media type in Accept; the data of each is JSON. For each "
    f"input a `start` ({StartEvent.__name__}); then, of a greedy answer, every `token` ({TokenEvent.__name__}), "
    f"which is final, or of a beam, each `hypothesis` ({HypothesisEvent.__name__}) that leads; then `done` "
    f"({DoneEvent.__name__}). Or `error` ({Problem.__name__}), and nothing after it. What is wrong before the first "
    "event is an ordinary problem."
)
EVENT: dict[str, Any] = {  # OpenAPI 3.2 describes each event of a stream, and FastAPI does so in a document of 3.1
    "type": "object",
    "required": ["data", "event", "id"],
    "properties": {
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {
                "anyOf": [
                    {"$ref": REF.format(model=model.__name__)}
                    for model in (StartEvent, TokenEvent, HypothesisEvent, DoneEvent, Problem)
                ]
            },
        },
        "event": {"enum": ["start", "token", "hypothesis", "done", "error"]},
        "id": {"type": "string"},
    },
}
Responses = dict[int | str, dict[str, Any]]


def request_body(task: Task[Any, Any]) -> dict[str, Any]:
    """A task's requestBody: JSON for all; a form and the bare bytes for those that take an upload."""
    whole = {"$ref": REF.format(model=task.request.__name__)}
    content: dict[str, Any] = {JSON: {"schema": whole, "example": dict(task.request_example)}}
    if task.upload:
        schema = task.request.model_json_schema(ref_template=REF)
        options = {name: field for name, field in schema["properties"].items() if name != task.upload}
        file = {"type": "string", "format": "binary", "description": "The picture."}
        content[FORM] = {"schema": {"type": "object", "properties": {FILE: file, **options}, "required": [FILE]}}
        bare = {"schema": {"type": "string", "format": "binary", "description": "Options go in the query."}}
        content |= {"image/*": bare, BYTES: bare}
    return {"required": True, "content": content}


def responses(task: Task[Any, Any], formats: Sequence[str]) -> Responses:
    """A task's answer in each format, and every problem by status."""
    drawn = {media: {"schema": {"type": "string"}} for media in formats}
    live = {EVENTS: {"itemSchema": EVENT, "example": _events(task)}}
    answer = {
        "description": f"A result for each input, in order. {STREAM}",
        "content": {JSON: {"example": dict(task.answer_example)}, **drawn, **live},
    }
    return {200: answer, **problems()}


def _events(task: Task[Any, Any]) -> str:
    """The example of an answer as the stream that it would have been."""
    answer, (result, *_) = task.answer_example, task.answer_example["results"]
    map_, about = result["attention"], {"input": 0, "id": answer["id"], "model": answer["model"]}
    token = {**map_["queries"][0], "index": 0, "id": 1071, "attention": map_["weights"][0], "input": 0}
    token |= {"gate": map_["gate"][0]} if "gate" in map_ else {}
    told: list[tuple[str, BaseModel]] = [
        ("start", StartEvent(**about, keys=map_["keys"], layer=map_["layer"], head=map_["head"])),
        ("token", TokenEvent(**{name: value for name, value in token.items() if name in TokenEvent.model_fields})),
        ("done", DoneEvent(**about, timings=answer["timings"], **result)),
    ]
    return b"".join(framed(name, event, i) for i, (name, event) in enumerate(told)).decode()


def problems() -> Responses:
    """Each status that the error tree holds, with its codes."""
    codes: dict[int, list[type[HeedError]]] = {}
    for kind in tree():
        if not kind.__subclasses__() or kind not in (*HeedError.__subclasses__(), Unavailable, Broken):
            codes.setdefault(kind.status, []).append(kind)
    return {
        status: {**PROBLEM, "description": "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds)}
        for status, kinds in sorted(codes.items())
    }


def install(app: FastAPI, tasks: Mapping[str, Task[Any, Any]], also: Sequence[str] = ()) -> None:
    """Give the app its whole document, made once when first asked for; also: other paths where it is looked for."""
    app.openapi = _document(app, tasks)  # type: ignore[method-assign] # FastAPI's own way to extend it
    written = cache(lambda: json.dumps(app.openapi(), ensure_ascii=False).encode())

    async def document() -> Response:
        return Response(written(), media_type=JSON)  # FastAPI writes it anew for each who asks, which takes its time

    for path in ("/openapi.json", *also):
        app.add_api_route(path, document, methods=["GET"], include_in_schema=False, response_model=None)


def _document(app: FastAPI, tasks: Mapping[str, Task[Any, Any]]) -> Callable[[], dict[str, Any]]:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            asked = [(model, "validation") for model in (Problem, *(task.request for task in tasks.values()))]
            told = [(model, "serialization") for model in (StartEvent, TokenEvent, HypothesisEvent, DoneEvent)]
            _, schemas = models_json_schema([*asked, *told], ref_template=REF)  # type: ignore[list-item]
            made["components"]["schemas"] |= schemas["$defs"]
            app.openapi_schema = made
        return app.openapi_schema

    return document
