"""What FastAPI cannot see by itself, written into the OpenAPI document: bodies by media type, formats, problems.

Knows nothing of any one task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from service.api.bodies import BYTES, FILE, FORM, JSON
from service.api.problems import MEDIA_TYPE, Problem
from service.errors import Broken, HeedError, Unavailable, tree
from service.tasks.contract import Task

REF = "#/components/schemas/{model}"
PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=Problem.__name__)}}},
}
Responses = dict[int | str, dict[str, Any]]


def request_body(task: Task[Any, Any]) -> dict[str, Any]:
    """A task's requestBody: JSON for all; a form and the bare bytes for those that take an upload."""
    whole = {"$ref": REF.format(model=task.request.__name__)}
    content: dict[str, Any] = {JSON: {"schema": whole, "example": dict(task.request_example)}}
    if task.upload:
        schema = task.request.model_json_schema()
        options = {name: field for name, field in schema["properties"].items() if name != task.upload}
        file = {"type": "string", "format": "binary", "description": "The picture."}
        content[FORM] = {"schema": {"type": "object", "properties": {FILE: file, **options}, "required": [FILE]}}
        bare = {"schema": {"type": "string", "format": "binary", "description": "Options go in the query."}}
        content |= {"image/*": bare, BYTES: bare}
    return {"required": True, "content": content}


def responses(task: Task[Any, Any], formats: Sequence[str]) -> Responses:
    """A task's answer in each format, and every problem by status."""
    drawn = {media: {"schema": {"type": "string"}} for media in formats}
    answer = {
        "description": "A result for each input, in order",
        "content": {JSON: {"example": dict(task.answer_example)}, **drawn},
    }
    return {200: answer, **problems()}


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


def install(app: FastAPI, tasks: Mapping[str, Task[Any, Any]]) -> None:
    """Give the app its whole document, made once when first asked for."""
    app.openapi = _document(app, tasks)  # type: ignore[method-assign] # FastAPI's own way to extend it


def _document(app: FastAPI, tasks: Mapping[str, Task[Any, Any]]) -> Callable[[], dict[str, Any]]:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            models = [(model, "validation") for model in (Problem, *(task.request for task in tasks.values()))]
            _, schemas = models_json_schema(models, ref_template=REF)  # type: ignore[arg-type]
            made["components"]["schemas"] |= schemas["$defs"]
            app.openapi_schema = made
        return app.openapi_schema

    return document
