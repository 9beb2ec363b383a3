"""POST /v1/compare: one input, several models of one task, and an answer of each with its own maps.

Knows nothing of any one task: the body is that of the models' task, with `models` where `model` would be.
(No postponed annotations here: FastAPI reads those of functions made in a function.)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Scope

from service.api import openapi
from service.api.bodies import JSON, from_json, media_of
from service.api.desk import Desk
from service.api.held import Held
from service.api.request_id import request_id
from service.api.routes import Charge
from service.api.watch import note
from service.errors import Malformed, Meaningless, UnknownModel, Where, WrongMediaType
from service.tasks.answer import Answer
from service.tasks.contract import Searched, Task

EXAMPLE = {"models": ["en-de-bahdanau", "en-de-small-general"], "text": "A small dog.", "source": "en", "target": "de"}


class Comparison(BaseModel):
    """The answer of each model, in the order in which they were named."""

    id: str
    answers: list[Answer]


def comparison(desk: Desk, tasks: Mapping[str, Task[Any, Any]], most: int, charge: Charge) -> APIRouter:
    """The route; most: models of one request."""
    router = APIRouter()
    comparing = _Comparing(desk, tasks, most, charge)

    async def endpoint(request: Request) -> Response:
        if media_of(request) != JSON:
            raise WrongMediaType(f"The body may be {JSON}.")
        return Held(desk, partial(comparing.compared, await request.body()))

    router.add_api_route(
        "/v1/compare",
        endpoint,
        methods=["POST"],
        name="compare",
        summary="One input, several models: an answer of each",
        description="The body of /v1/translate or /v1/caption as JSON, with `models` instead of `model`. No streams.",
        tags=["work"],
        response_model=Comparison,
        responses=openapi.problems(),
        openapi_extra={"requestBody": _body(tasks, most)},
    )
    return router


def _body(tasks: Mapping[str, Task[Any, Any]], most: int) -> dict[str, Any]:
    """The body of any task, and the names."""
    names = {"type": "array", "items": {"type": "string", "maxLength": 200}, "minItems": 1, "maxItems": most}
    schema = {"type": "object", "required": ["models"], "properties": {"models": names}}
    told = " or ".join(task.request.__name__ for task in tasks.values() if issubclass(task.request, Searched))
    schema["description"] = f"And the fields of {told}, whichever is the task of these models."
    return {"required": True, "content": {JSON: {"schema": schema, "example": EXAMPLE}}}


@dataclass(frozen=True)
class _Comparing:
    """One place at the desk for all of it. One model after the other: so it never takes more rows than any request."""

    desk: Desk
    tasks: Mapping[str, Task[Any, Any]]
    most: int
    charge: Charge

    async def compared(self, body: bytes, scope: Scope) -> Response:
        fields, names = await self.desk.off_loop(lambda: self._read(body))
        task = self._task(names[0])
        asked_as = request_id(scope)
        answers = [await self._one(task, fields, name, asked_as, scope) for name in names]
        whole = b'{"id":%b,"answers":[%b]}' % (json.dumps(asked_as).encode(), b",".join(answers))
        return Response(whole, media_type=JSON)

    def _read(self, body: bytes) -> tuple[dict[str, Any], list[str]]:
        """The fields that all models are asked, and their names.

        Raises:
            Malformed: it is not a JSON object.
            Meaningless: the names are missing, or too many, or there is something beside them that cannot be.
        """
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            raise Malformed("The body is not JSON.") from None
        if not isinstance(fields, dict):
            raise Malformed("The body is not a JSON object.")
        names = fields.pop("models", None)
        if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
            raise Meaningless("Name the models.", errors=(Where("/models", "is a list of names"),))
        if len(names) > self.most:
            where = (Where("/models", f"are {len(names)}, at most {self.most} here"),)
            raise Meaningless("Too many models.", limit=self.most, actual=len(names), errors=where)
        for field in ("model", "stream"):
            if fields.pop(field, None):
                raise Meaningless(f"There is no {field} here.", errors=(Where(f"/{field}", "is not taken"),))
        return fields, names

    def _task(self, name: str) -> Task[Any, Any]:
        """The task that a model does.

        Raises:
            UnknownModel: it is not loaded.
        """
        bundles = self.desk.link.bundles
        if name not in bundles:
            raise UnknownModel(f"There is no such model here; loaded: {', '.join(bundles)}.")
        return self.tasks[bundles[name].manifest.task]

    async def _one(
        self, task: Task[Any, Any], fields: Mapping[str, Any], name: str, asked_as: str, scope: Scope
    ) -> bytes:
        """One model's answer, as JSON."""
        async with self.desk.understood(
            task, from_json(task, json.dumps({**fields, "model": name}).encode()), asked_as
        ) as order:
            note(scope, order=order)
            await self.charge(scope, order.rows())
            return (await self.desk.answer(order))[0]
