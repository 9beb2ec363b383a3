"""LibreTranslate's dialect: its routes and answers, so that its clients work unchanged.

Knows nothing of engines. Three further fields ask for more than LibreTranslate has: `attention`, `scores` and `model`;
without them an answer has exactly its shape. (No postponed annotations here: FastAPI reads those of functions made in a
function.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Scope

from service.api import openapi
from service.api.bodies import FORM, JSON
from service.api.dialect import Dialect
from service.api.fields import URLENCODED, Fields, fields_of
from service.api.gate import Gate, shown, standing_headers
from service.api.held import Held
from service.api.languages import name, spoken
from service.api.libretranslate_words import (
    AUTO,
    DetectedLanguage,
    FrontendSettings,
    LibreTranslateAnswer,
    LibreTranslateError,
    LibreTranslateLanguage,
    LibreTranslateRequest,
    LibreTranslateText,
    NamedLanguage,
    read,
    told,
)
from service.api.texts import Said, Texts, Wish
from service.errors import Malformed

WORK = frozenset({"/translate", "/detect"})
SPEC = ("/spec",)  # the same document as /openapi.json
OPEN = frozenset({"/languages", "/frontend/settings", *SPEC})
FILES = frozenset({"/translate_file"})
FETCHED = frozenset({"/download_file/"})  # who knows a file's name may have it
DIALECT = Dialect(
    paths=WORK | FILES | OPEN, tell=told, work=WORK, files=FILES, keyed=WORK | FILES, public=OPEN | FETCHED
)
TIMEOUT = 500  # milliseconds that LibreTranslate's page waits after a key is pressed: its own default
STATUSES = {
    400: "Bad, missing, not supported, or over a limit",
    403: "No key where one is needed, or one that is refused",
    429: "Too many requests, by a limit of rate or because the house is full",
    500: "Something of ours went wrong",
    503: "Not ready, or shutting down",
    504: "Not ready in time",
}


@dataclass(frozen=True)
class LibreTranslate:
    """The routes for one desk; gate: it reads the keys in fields; files: endings of files that are translated."""

    texts: Texts
    gate: Gate
    files: Sequence[str] = ()

    @property
    def most(self) -> int:
        """Alternatives of a text."""
        bounds = self.texts.desk.bounds
        return min(bounds.n_best, bounds.beam_size) - 1

    def router(self) -> APIRouter:
        router = APIRouter(tags=["LibreTranslate"])
        wrong: openapi.Responses = {
            status: {"model": LibreTranslateError, "description": why} for status, why in STATUSES.items()
        }

        @router.post(
            "/translate",
            summary="Translate, in LibreTranslate's words",
            response_model=LibreTranslateAnswer,
            **_takes(LibreTranslateRequest, wrong),
        )
        async def translate(request: Request) -> Response:
            fields, headers = await self._admitted(request)
            return Held(self.texts.desk, partial(self._translate, read(LibreTranslateRequest, fields), headers))

        @router.post(
            "/detect",
            summary="Which language a text is in",
            response_model=list[DetectedLanguage],
            **_takes(LibreTranslateText, wrong),
        )
        async def detect(request: Request) -> Response:
            fields, headers = await self._admitted(request)
            return Held(self.texts.desk, partial(self._detect, read(LibreTranslateText, fields), headers))

        @router.get("/languages", summary="Which languages lead to which", responses={400: wrong[400]})
        @router.post("/languages", summary="The same, for clients that ask so", responses={400: wrong[400]})
        async def languages() -> list[LibreTranslateLanguage]:
            return self._languages()

        @router.get("/frontend/settings", summary="What LibreTranslate's own page asks for")
        async def settings() -> FrontendSettings:
            return self._settings()

        return router

    async def _admitted(self, request: Request) -> tuple[Fields, dict[str, str]]:
        """The fields of a request that was let in by the key in a header or among them, and how its limits stand.

        Raises:
            KeyMissing, KeyRefused, RateLimited: it is not let in.
            Malformed: there are no fields.
        """
        broken: Malformed | None = None
        fields: Fields = {}
        try:
            fields = await fields_of(request)
        except Malformed as error:
            broken = error  # told to those who are let in: the others learn first that they are not
        key = fields.get("api_key") or request.query_params.get("api_key")
        standing = await self.gate.admit(request.scope, shown(request.headers) or (str(key) if key else None))
        if broken is not None:
            raise broken
        return fields, standing_headers(standing)

    async def _translate(self, asked: LibreTranslateRequest, headers: dict[str, str], scope: Scope) -> Response:
        """Raises: HeedError: see `Texts.say`."""
        asked.check(self.texts.desk.bounds, self.most)
        batch = asked.q if isinstance(asked.q, list) else [asked.q]
        wish = Wish(
            batch,
            asked.target,
            None if asked.source == AUTO else asked.source,
            html=asked.format == "html",
            n_best=1 + asked.alternatives,
            how=asked.ours(),
        )
        answers = [_answer(asked, one) for one in await self.texts.say(wish, scope)]
        whole = _merged(answers) if isinstance(asked.q, list) else answers[0]
        return Response(whole.model_dump_json(exclude_none=True), headers=headers, media_type=JSON)

    async def _detect(self, asked: LibreTranslateText, headers: dict[str, str], scope: Scope) -> Response:
        asked.check(self.texts.desk.bounds)
        guesses = await self.texts.detected(asked.q if isinstance(asked.q, list) else [asked.q])
        likely = [DetectedLanguage.of(guess) for guess in guesses]
        found = [one for one in likely if one.confidence > 0] or likely[:1]
        body = b"[%b]" % b",".join(one.model_dump_json().encode() for one in found)
        return Response(body, headers=headers, media_type=JSON)

    def _languages(self) -> list[LibreTranslateLanguage]:
        there = self.texts.leads()
        return [LibreTranslateLanguage(code=one, name=name(one), targets=there.get(one, [])) for one in spoken(there)]

    def _settings(self) -> FrontendSettings:
        there = self.texts.leads()
        source = next(iter(there), "en")
        sides = {"source": source, "target": next(iter(there.get(source, [])), source)}
        return FrontendSettings(
            apiKeys=self.gate.ring is not None,
            charLimit=self.texts.desk.bounds.text_characters,
            filesTranslation=bool(self.files),
            frontendTimeout=TIMEOUT,
            keyRequired=self.gate.required,
            language={side: NamedLanguage(code=one, name=name(one)) for side, one in sides.items()},
            suggestions=False,
            supportedFilesFormat=list(self.files),
        )


def _takes(asked: type[LibreTranslateText], wrong: openapi.Responses) -> dict[str, Any]:
    """What FastAPI is told of a body that it does not read, and of errors."""
    schema = asked.model_json_schema()
    media = {media: {"schema": schema} for media in (JSON, URLENCODED, FORM)}
    told = "Without a body the same fields may stand in the query."
    body = {"required": False, "description": told, "content": media}
    return {"responses": wrong, "openapi_extra": {"requestBody": body}}


def _answer(asked: LibreTranslateRequest, said: Said) -> LibreTranslateAnswer:
    """One text's answer; what was not asked for is None, and is not sent."""
    result = said.result
    return LibreTranslateAnswer(
        translatedText=said.text,
        detectedLanguage=DetectedLanguage.of(said.guess) if asked.source == AUTO else None,
        alternatives=said.alternatives if asked.alternatives else None,
        attention=result.attention if result else None,
        scores=(result.score if result else 0.0) if asked.scores else None,
        model=said.model if asked.model else None,
    )


def _merged(answers: Sequence[LibreTranslateAnswer]) -> LibreTranslateAnswer:
    """The answers to a list as one: each field that any of them has is a list."""
    fields = [
        field for field in LibreTranslateAnswer.model_fields if any(getattr(one, field) is not None for one in answers)
    ]
    return LibreTranslateAnswer(**{field: [getattr(one, field) for one in answers] for field in fields})
