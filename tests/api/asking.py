"""What tests of the API ask again and again."""

from __future__ import annotations

import io
from typing import Any

import httpx
from PIL import Image

GOOD = {"text": "the old house", "source": "en", "target": "de"}
PROBLEM = "application/problem+json"


async def still_answers(client: httpx.AsyncClient) -> None:
    """After whatever happened, a good request is answered as if nothing had."""
    answer = await client.post("/v1/translate", json=GOOD)
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"][0]["text"] == GOOD["text"]


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in an answer, after everything that holds for every problem was checked."""
    assert answer.headers["content-type"] == PROBLEM, answer.text
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code), told
    assert told["type"] == f"/docs/errors#{code}"
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["x-request-id"]
    assert told["request_id"] in told["instance"]
    assert "Traceback" not in answer.text
    return told


def picture(
    mode: str = "RGB", size: tuple[int, int] = (32, 16), colour: Any = None, kind: str = "PNG", **how: Any
) -> bytes:
    """A one-coloured picture as a file."""
    file = io.BytesIO()
    Image.new(mode, size, colour if colour is not None else 0).save(file, kind, **how)
    return file.getvalue()


async def describe(client: httpx.AsyncClient, data: bytes, media: str = "image/png", **query: Any) -> httpx.Response:
    """POST a picture as the raw body."""
    return await client.post("/v1/caption", content=data, headers={"content-type": media}, params=query)
