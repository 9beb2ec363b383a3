"""One input, several models: an answer of each, or one error that says which."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.api.asking import picture
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
TWO = ["tiny-en-de", "tiny-en-fr"]


async def compare(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/v1/compare", json=body)


async def test_every_model_answers_the_same_input(client: httpx.AsyncClient, link: FakeLink) -> None:
    answer = await compare(client, models=TWO, text="the dog", attention="soft")
    assert answer.status_code == 200
    told = answer.json()
    assert [one["model"].partition("@")[0] for one in told["answers"]] == TWO
    assert {one["id"] for one in told["answers"]} == {told["id"]} == {answer.headers["x-request-id"]}
    assert all(one["results"][0]["attention"]["keys"]["items"] for one in told["answers"])
    assert len(link.jobs) == 2


async def test_a_picture_is_compared_too(client: httpx.AsyncClient) -> None:
    image = base64.b64encode(picture()).decode()
    told = (await compare(client, models=["tiny-caption", "tiny-caption"], image=image)).json()
    assert [one["results"][0]["attention"]["keys"]["type"] for one in told["answers"]] == ["grid", "grid"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": "a"}, 422, "invalid_request"),
        ({"models": [], "text": "a"}, 422, "invalid_request"),
        ({"models": "tiny-en-de", "text": "a"}, 422, "invalid_request"),
        ({"models": [1], "text": "a"}, 422, "invalid_request"),
        ({"models": ["tiny-en-de"] * 17, "text": "a"}, 422, "invalid_request"),
        ({"models": TWO, "text": "a", "model": "tiny-en-de"}, 422, "invalid_request"),
        ({"models": TWO, "text": "a", "stream": True}, 422, "invalid_request"),
        ({"models": ["nobody"], "text": "a"}, 404, "unknown_model"),
        ({"models": ["tiny-en-de", "nobody"], "text": "a"}, 404, "unknown_model"),
        ({"models": ["tiny-en-de", "tiny-caption"], "text": "a"}, 422, "wrong_task"),
        ({"models": TWO, "text": " "}, 422, "text_empty"),
        ({"models": TWO, "text": "a", "beam": 3}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_compared_is_said(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await compare(client, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000])
async def test_what_is_no_json_object_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/v1/compare", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


async def test_only_json_is_compared(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/compare", content=picture(), headers={"content-type": "image/png"})
    assert answer.status_code == 415


async def test_a_comparison_takes_no_more_of_the_engine_at_once_than_one_request(
    client: httpx.AsyncClient, link: FakeLink
) -> None:
    most, submit = 0, link.submit

    def counted(job: Any) -> Any:
        nonlocal most
        most = max(most, len(link.seated) + 1)
        return submit(job)

    link.submit = counted  # type: ignore[method-assign]
    answer = await compare(client, models=TWO * 4, text="the dog")
    assert answer.status_code == 200
    assert (most, len(link.jobs)) == (1, 8)
