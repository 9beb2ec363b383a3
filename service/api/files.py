"""Files over HTTP: brought, asked after, fetched, dropped; and LibreTranslate's way of the same.

Knows nothing of how they are translated. (No postponed annotations here: FastAPI reads those of functions made in a
function.)
"""

import re
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from service.api import openapi
from service.api.bodies import FILE, FORM, media_of
from service.api.filing import Filed, Filing, State
from service.api.form import upload
from service.api.gate import Gate, shown, standing_headers
from service.api.libretranslate_words import LibreTranslateError
from service.api.presence import while_there
from service.errors import FileMissing, FileNotReady, Where, WrongMediaType

WISHES = ("source", "target", "model", "placeholders")
AUTO = "auto"


class FileState(BaseModel):
    """How far a file is."""

    id: str
    status: State
    progress: float = Field(description="0 to 1: the share of its texts that are translated.")
    texts: int
    expires_in: int = Field(description="Seconds until it is forgotten, done or not.")
    url: str
    result: str | None = Field(None, description="Where the translated file is, once it is done.")
    error: str | None = Field(None, description="The code of what went wrong, if it failed.")


class LibreTranslateFile(BaseModel):
    translatedFileUrl: str  # noqa: N815


def files(filing: Filing, clock: Any) -> APIRouter:
    """Our own routes; clock: the one that `Filed.until` is of."""
    router = APIRouter(prefix="/v1/files", tags=["files"])
    wrong: openapi.Responses = {"default": openapi.PROBLEM}

    def state(filed: Filed) -> FileState:
        url = f"/v1/files/{filed.id}"
        return FileState(
            id=filed.id,
            status=filed.state,
            progress=1.0 if filed.state == "done" else round(filed.done / max(1, filed.total), 4),
            texts=filed.total,
            expires_in=max(0, int(filed.until - clock())),
            url=url,
            result=f"{url}/result" if filed.state == "done" else None,
            error=filed.error.code if filed.error else None,
        )

    def own(request: Request, id_: str) -> Filed:
        return filing.find(id_, request.scope["state"].get("key_id"))

    @router.post("", status_code=202, summary="Translate a file", responses=wrong, openapi_extra=BODY)
    async def bring(request: Request, response: Response) -> FileState:
        filed = await filing.take(*await _sent(request), request.scope)
        response.headers["Location"] = f"/v1/files/{filed.id}"
        response.headers["Cache-Control"] = "no-store"
        return state(filed)

    @router.get("/{id_}", summary="How far it is", responses=wrong)
    async def ask(request: Request, id_: str) -> FileState:
        return state(own(request, id_))

    @router.get("/{id_}/result", summary="The translated file", responses=wrong, response_class=Response)
    async def fetch(request: Request, id_: str) -> Response:
        return download(own(request, id_))

    @router.delete("/{id_}", status_code=204, summary="Forget it, done or not", responses=wrong)
    async def drop(request: Request, id_: str) -> Response:
        filing.drop(own(request, id_))
        return Response(status_code=204)

    return router


def libretranslate_files(filing: Filing, gate: Gate) -> APIRouter:
    """LibreTranslate's routes: the answer comes when the file is done, and whoever knows its name may fetch it."""
    router = APIRouter(tags=["LibreTranslate"])
    theirs: openapi.Responses = {"default": {"model": LibreTranslateError, "description": "What went wrong"}}
    ours: openapi.Responses = {"default": openapi.PROBLEM}

    @router.post(
        "/translate_file", summary="Translate a file, in LibreTranslate's words", responses=theirs, openapi_extra=BODY
    )
    async def translate_file(request: Request, response: Response) -> LibreTranslateFile:
        name, data, fields = await _sent(request)
        standing = await gate.admit(request.scope, shown(request.headers) or fields.pop("api_key", None) or None)
        response.headers.update(standing_headers(standing))
        filed = await filing.take(name, data, fields, request.scope)
        del data  # the filing counts what it keeps; this may wait for an hour
        try:
            await while_there(request, filed.finished.wait())
        except BaseException:
            filing.drop(filed)
            raise
        if filed.error is not None:
            filing.drop(filed)
            raise filed.error.with_traceback(None)
        path = f"/download_file/{filed.id}"
        response.headers["Content-Location"] = path  # for balancers: only this front has it
        return LibreTranslateFile(translatedFileUrl=f"{str(request.base_url).rstrip('/')}{path}")

    @router.get("/download_file/{id_}", summary="The translated file", response_class=Response, responses=ours)
    async def download_file(id_: str) -> Response:
        return download(filing.find(id_, None, anyones=True))

    return router


def download(filed: Filed) -> Response:
    """The file, never shown in a browser as a page of ours.

    Raises:
        FileNotReady: it is not done, or failed.
    """
    if filed.error is not None:
        raise filed.error.with_traceback(None)  # else each time it is raised would stay with it
    if filed.result is None:
        raise FileNotReady("The file is not translated yet.", retry_after=1)
    filed.fetched = True
    headers = {
        "Content-Disposition": _saved_as(filed.name),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(filed.result, headers=headers, media_type=filed.media)


def _saved_as(name: str) -> str:
    """RFC 6266: the name in ASCII for clients that know no other, such as curl, and the name itself."""
    plain = re.sub(r"[^ -~]|[\"\\\\%]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


async def _sent(request: Request) -> tuple[str, bytes, dict[str, Any]]:
    """The file's name, its bytes, and the other fields.

    Raises:
        WrongMediaType, Malformed: it is no form.
        FileMissing: there is no file in it.
    """
    if media_of(request) != FORM:
        raise WrongMediaType(f"The body may be {FORM}.")
    body = b"".join([piece async for piece in request.stream() if piece])  # `body()` would be kept with the request
    name, data, texts = upload(request.headers["content-type"], body, FILE)
    if data is None:
        raise FileMissing(f"The form has no file named {FILE}.", errors=(Where(f"/{FILE}", "is missing"),))
    fields = {wish: texts[wish] for wish in (*WISHES, "api_key") if texts.get(wish)}
    return name, data, fields


BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": [FILE, "target"],
                    "properties": {FILE: {"type": "string", "format": "binary"}}
                    | {name: {"type": "string"} for name in (*WISHES, "api_key")},
                }
            }
        },
    }
}
