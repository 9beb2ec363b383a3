"""DeepL's dialect: v2's routes for texts, languages and usage, so that its clients work unchanged.

Knows nothing of engines. (No postponed annotations here: FastAPI reads those of functions made in a function.)
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Scope

from service.api import openapi
from service.api.bodies import JSON
from service.api.deepl_words import (
    DeepLAnswer,
    DeepLError,
    DeepLLanguage,
    DeepLRequest,
    DeepLTranslation,
    DeepLUsage,
    listed,
    read,
    told,
)
from service.api.dialect import Dialect
from service.api.fields import URLENCODED, fields_of
from service.api.held import Held
from service.api.texts import Said, Texts, Wish
from service.errors import Meaningless, TooLarge

WORK, OTHERS = frozenset({"/v2/translate"}), frozenset({"/v2/languages", "/v2/usage"})
DIALECT = Dialect(paths=WORK | OTHERS, tell=told, work=WORK)
UNLIMITED = 10**12  # what DeepL says of accounts without a limit
WHO = "Whoever asks without a key"
STATUSES = {
    400: "Bad, missing or not supported",
    403: "No key where one is needed, or one that is refused",
    413: "Too large",
    429: "Too many requests, by a limit of rate or because the house is full",
    456: "A limit that will not pass within minutes",
    500: "Something of ours went wrong",
    503: "Not ready, or shutting down",
    504: "Not ready in time",
}


@dataclass(frozen=True)
class DeepL:
    """The routes for one desk. What it counts is bounded: by the keys there are, and the numbers of addresses."""

    texts: Texts
    counted: Counter[str] = field(default_factory=Counter)

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v2", tags=["DeepL"])
        wrong: openapi.Responses = {
            status: {"model": DeepLError, "description": why} for status, why in STATUSES.items()
        }
        refused: openapi.Responses = {status: wrong[status] for status in (400, 403, 429, 456)}

        @router.post("/translate", summary="Translate, in DeepL's words", response_model=DeepLAnswer, **_takes(wrong))
        async def translate(request: Request) -> Response:
            return Held(self.texts.desk, partial(self._translate, read(await fields_of(request))))

        @router.get(
            "/languages", summary="Languages in DeepL's codes", response_model=list[DeepLLanguage], **_sides(refused)
        )
        async def languages(request: Request) -> Response:
            return self._languages((await fields_of(request)).get("type", "source"))

        @router.get("/usage", summary="Characters translated for whoever asks", responses=refused)
        async def usage(request: Request) -> DeepLUsage:
            return DeepLUsage(character_count=self.counted[_who(request.scope)], character_limit=UNLIMITED)

        return router

    async def _translate(self, asked: DeepLRequest, scope: Scope) -> Response:
        """Raises: HeedError: see `Texts.say`; TooLarge: more texts, or longer ones, than may be."""
        bounds = self.texts.desk.bounds
        for size, limit in (
            (len(asked.text), bounds.texts),
            *((len(one), bounds.text_characters) for one in asked.text),
        ):
            if size > limit:
                raise TooLarge(f"Request size ({size}) exceeds the limit ({limit}).", limit=limit, actual=size)
        wish = Wish(
            asked.text,
            asked.target_lang,
            asked.source_lang or None,
            each=True,
            html=asked.tag_handling == "html",
            how={"attention": "none", "trust": "none"},
        )
        said = await self.texts.say(wish, scope)
        self.counted[_who(scope)] += sum(map(len, asked.text))
        pairs = zip(asked.text, said, strict=True)
        whole = DeepLAnswer(translations=[_translation(asked, text, one) for text, one in pairs])
        return Response(whole.model_dump_json(exclude_none=True), media_type=JSON)

    def _languages(self, side: object) -> Response:
        """Raises: Meaningless: it is neither side."""
        there = self.texts.leads()
        sides = {"source": list(there), "target": sorted({one for targets in there.values() for one in targets})}
        if not isinstance(side, str) or side not in sides:
            raise Meaningless("Value for 'type' not supported: it is source or target.")
        found = [one for code in sides[side] for one in listed(code, side)]
        body = b"[%b]" % b",".join(one.model_dump_json(exclude_none=True).encode() for one in found)
        return Response(body, media_type=JSON)


def _who(scope: Scope) -> str:
    """Under which name whoever asks is counted."""
    guest = scope["state"].get("guest")
    return guest.who if guest else WHO


def _translation(asked: DeepLRequest, text: str, said: Said) -> DeepLTranslation:
    used = asked.model_type.removeprefix("prefer_") if asked.model_type else None
    return DeepLTranslation(
        detected_source_language=said.guess.language.upper(),
        text=said.text,
        billed_characters=len(text) if asked.show_billed_characters else None,
        model_type_used=used,
    )


def _takes(wrong: openapi.Responses) -> dict[str, Any]:
    """What FastAPI is told of a body that it does not read, and of errors."""
    schema = DeepLRequest.model_json_schema()
    body = {"required": True, "content": {one: {"schema": schema} for one in (JSON, URLENCODED)}}
    return {"responses": wrong, "openapi_extra": {"requestBody": body}}


def _sides(wrong: openapi.Responses) -> dict[str, Any]:
    """What it is told of a query that it does not read."""
    schema = {"type": "string", "enum": ["source", "target"], "default": "source"}
    return {
        "responses": wrong,
        "openapi_extra": {"parameters": [{"name": "type", "in": "query", "required": False, "schema": schema}]},
    }
