"""POST /v1/detect: which language a text is in, of those that are translated here or of those that are named.

Knows nothing of tasks and models but their languages.
(No postponed annotations here: FastAPI reads those of functions made in a function.)
"""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from bundle.manifest import Bundle
from service.api import openapi
from service.api.bodies import JSON, media_of
from service.api.desk import Desk
from service.api.problems import meaning
from service.api.request_id import request_id
from service.errors import EmptyText, Meaningless, TextTooLong, Where, WrongMediaType
from service.tasks.contract import Bounds, at_most
from service.tasks.detection import Guess, detect

MOST = 200  # languages: more than there are statistics of
EXAMPLE = {"text": "Ein kleiner Hund schläft."}


class DetectRequest(BaseModel):
    """Texts whose languages are asked for, each by itself."""

    model_config = ConfigDict(extra="forbid")

    text: str | list[str] = Field(description="One text, or several: one result each, in order.")
    among: list[str] | None = Field(
        None,
        min_length=1,
        max_length=MOST,
        description="Codes of the languages that it may be; by default those that are translated from or to here.",
    )


class Likely(BaseModel):
    """A language that a text may be in."""

    language: str
    confidence: float = Field(description="0 to 1, among the languages that it may be.")


class Detected(Likely):
    """The most likely language of a text, and all of them, best first."""

    guesses: list[Likely]


class Detections(BaseModel):
    """A result for each text, in order."""

    id: str
    results: list[Detected]


def detection(desk: Desk) -> APIRouter:
    """The route."""
    router = APIRouter()

    async def endpoint(request: Request) -> Response:
        with desk.place():
            if media_of(request) != JSON:
                raise WrongMediaType(f"The body may be {JSON}.")
            body = await request.body()
            asked_as = request_id(request.scope)
            written = await desk.off_loop(lambda: _answer(desk, body, asked_as))
        return Response(written, headers={"Cache-Control": "no-store"}, media_type=JSON)

    body = {"content": {JSON: {"schema": DetectRequest.model_json_schema(), "example": EXAMPLE}}, "required": True}
    router.add_api_route(
        "/v1/detect",
        endpoint,
        methods=["POST"],
        name="detect",
        summary="Which language a text is in",
        description=(DetectRequest.__doc__ or "").strip(),
        tags=["work"],
        response_model=Detections,
        responses=openapi.problems(),
        openapi_extra={"requestBody": body},
    )
    return router


def _answer(desk: Desk, body: bytes, asked_as: str) -> bytes:
    try:
        asked = DetectRequest.model_validate_json(body)
    except ValidationError as wrong:
        raise meaning(wrong) from None
    among = asked.among or spoken(desk.link.bundles)
    if not among:
        raise Meaningless("Nothing is translated here: name the languages.", errors=(Where("/among", "is missing"),))
    texts = _texts(asked, desk.bounds)
    results = [_detected(detect(text, among)) for text in texts]
    return Detections(id=asked_as, results=results).model_dump_json().encode()


def _texts(asked: DetectRequest, bounds: Bounds) -> list[str]:
    """The texts, none of them empty, none too long.

    Raises:
        EmptyText, TextTooLong, Meaningless: there is none, or too much.
    """
    texts = [asked.text] if isinstance(asked.text, str) else asked.text
    at_most(bounds.texts, "text", len(texts))
    for i, text in enumerate(texts):
        place = "/text" if isinstance(asked.text, str) else f"/text/{i}"
        if not text.strip():
            raise EmptyText(errors=(Where(place, "is empty"),))
        at_most(bounds.text_characters, place[1:], len(text), TextTooLong)
    if not texts:
        raise EmptyText("There is no text in the list.", errors=(Where("/text", "is an empty list"),))
    return texts


def _detected(guesses: list[Guess]) -> Detected:
    likely = [Likely(language=guess.language, confidence=guess.confidence) for guess in guesses]
    return Detected(language=likely[0].language, confidence=likely[0].confidence, guesses=likely)


def spoken(bundles: Mapping[str, Bundle]) -> list[str]:
    """The languages that loaded models translate from or to."""
    pairs = [pair for one in bundles.values() for pair in one.manifest.pairs]
    return sorted({code for pair in pairs for code in (pair.source, pair.target)})
