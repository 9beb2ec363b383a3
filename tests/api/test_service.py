"""What the service says of itself, and what it does when something breaks."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest

from service.errors import EngineFailed, QueueFull, tree
from service.tasks import discover
from tests.api.asking import GOOD, problem, still_answers
from tests.api.conftest import client_of
from tests.api.sse import events

pytestmark = pytest.mark.anyio


async def test_models_are_listed_with_their_cards(client, bundles) -> None:
    cards = (await client.get("/v1/models")).json()["models"]
    assert [card["name"] for card in cards] == list(bundles)
    assert {"scores", "licence", "attention", "limits", "trained_on", "search"} <= set(cards[0])


async def test_one_model_has_its_card_and_an_unknown_one_a_problem(client) -> None:
    card = (await client.get("/v1/models/tiny-fr-de")).json()
    assert (card["source"], card["target"]) == ("fr", "de")
    problem(await client.get("/v1/models/none"), 404, "unknown_model")


async def test_health_turns_to_not_ready_when_the_engine_does(client, link) -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        assert (await client.get(path)).json()["status"] == "ok"
    link.drained = True
    assert (await client.get("/health/live")).status_code == 200
    for path in ("/health", "/health/ready"):
        answer = await client.get(path)
        problem(answer, 503, "model_not_ready")
        assert answer.headers["retry-after"] == "5"


async def test_the_link_is_started_before_and_drained_after(link) -> None:
    async with client_of(link) as client:
        assert link.started
        assert not link.drained
        await still_answers(client)
    assert link.drained


async def test_unknown_paths_and_wrong_methods_are_problems(client) -> None:
    problem(await client.get("/v1/nothing"), 404, "not_found")
    problem(await client.post("/v1/translate/", json=GOOD), 404, "not_found")
    answer = await client.get("/v1/translate")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


async def test_an_engine_that_fails_is_told_as_it_says(client, link) -> None:
    link.error = EngineFailed("the loop died")
    assert problem(await client.post("/v1/translate", json=GOOD), 500, "engine_failed")["detail"] == "the loop died"
    link.error = None
    await still_answers(client)


async def test_a_full_queue_says_when_to_come_again(client, link) -> None:
    link.error = QueueFull(limit=7, retry_after=3)
    answer = await client.post("/v1/translate", json={**GOOD, "text": ["house", "ball"]})
    told = problem(answer, 429, "queue_full")
    assert (told["limit"], told["retry_after"], answer.headers["retry-after"]) == (7, 3, "3")


async def test_an_error_nobody_foresaw_shows_neither_its_message_nor_the_text(client, link, caplog) -> None:
    link.error = ValueError("swordfish house")
    problem(await client.post("/v1/translate", json=GOOD), 500, "internal_error")
    assert "ValueError" in caplog.text
    assert "swordfish" not in caplog.text
    link.error = None
    await still_answers(client)


async def test_the_log_line_has_no_text_and_no_query(client, caplog) -> None:
    caplog.set_level(logging.INFO, "heed.access")
    await client.post("/v1/translate?secret=swordfish", json=GOOD)
    await client.get("/swordfish")
    lines = [record.getMessage() for record in caplog.records if record.name == "heed.access"]
    assert re.match(r"POST /v1/translate 422 \d+\.\d ms [0-9a-f]{32}", lines[0])
    assert lines[1].startswith("GET - 404 ")
    assert "swordfish" not in "".join(lines)  # httpx, the client in this process, has a log of its own


async def test_one_request_too_many_is_refused_and_places_are_free_again_afterwards(link) -> None:
    link.hang = True
    async with client_of(link, max_requests=2) as client:
        waiting = [asyncio.create_task(client.post("/v1/translate", json=GOOD)) for _ in range(2)]
        await link.arrivals(2)
        refused = await client.post("/v1/translate", json=GOOD)
        problem(refused, 429, "queue_full")
        assert int(refused.headers["retry-after"]) >= 1
        nonsense = await client.post("/v1/translate", content=b"{" * 10_000)
        problem(nonsense, 429, "queue_full")  # nothing was spent on it: nobody has read it
        assert (await client.get("/v1/models")).status_code == 200
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        link.hang = False
        await still_answers(client)


async def test_a_client_that_leaves_frees_its_slot(link) -> None:
    link.hang = True
    maker = client_of(link)
    async with maker:
        body, sent = [{"type": "http.request", "body": b'{"text": "house", "target": "fr"}', "more_body": False}], []

        async def receive() -> MutableMapping[str, Any]:
            if body:
                return body.pop()
            await link.arrivals(1)
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/translate", "query_string": b"", "headers": []}
        await asyncio.wait_for(maker.app(scope, receive, send), 5)
    assert link.cancelled == [link.jobs[0].id]


async def test_a_slow_request_does_not_hold_up_a_quick_one(client, link, monkeypatch) -> None:
    link.hang = True
    slow = asyncio.create_task(client.post("/v1/translate", json=GOOD))
    await link.arrivals(1)
    link.hang = False
    await still_answers(client)
    slow.cancel()


async def test_the_pages_are_served_and_fetch_nothing_from_elsewhere(client) -> None:
    for path in ("/", "/docs", "/docs/errors"):
        page = await client.get(path)
        assert page.headers["content-type"].startswith("text/html")
        assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page.text)
        for asset in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text):
            assert (await client.get(asset)).status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_every_type_of_a_problem_has_its_place_on_the_errors_page(client) -> None:
    page = (await client.get("/docs/errors")).text
    assert all(f'id="{kind.code}"' in page for kind in tree())


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get("/openapi.json")).json()
    return told


async def test_openapi_tells_bodies_formats_problems_and_examples_of_every_task(document) -> None:
    for task in discover().values():
        told = document["paths"][f"/v1/{task.name}"]["post"]
        body = told["requestBody"]["content"]
        assert body["application/json"]["schema"]["$ref"].endswith(f"/{task.request.__name__}")
        task.request.model_validate(body["application/json"]["example"])
        answer = told["responses"]["200"]["content"]
        assert answer["application/json"]["example"]["results"]
        assert {"text/plain", "image/png", "application/x-npz"} <= set(answer)
        start, token, done = events(answer["text/event-stream"]["example"])
        assert (start.event, token.event, done.event) == ("start", "token", "done")
        assert token.data["text"] == done.data["text"]
        assert {"400", "406", "413", "415", "422", "429", "500", "503", "504"} <= set(told["responses"])
        assert "application/problem+json" in told["responses"]["422"]["content"]
    pictures = set(document["paths"]["/v1/caption"]["post"]["requestBody"]["content"])
    assert pictures == {"application/json", "multipart/form-data", "image/*", "application/octet-stream"}


async def test_openapi_has_no_reference_to_nowhere_and_no_validation_error_of_fastapi(document) -> None:
    schemas = document["components"]["schemas"]
    references = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
    assert references <= set(schemas)
    assert not {"HTTPValidationError", "ValidationError"} & references
    assert {"TranslateRequest", "CaptionRequest", "Problem", "Answer"} <= set(schemas)
    assert {"StartEvent", "TokenEvent", "HypothesisEvent", "DoneEvent"} <= set(schemas)


async def test_the_examples_of_answers_are_answers(document) -> None:
    from service.tasks.answer import Answer

    for task in discover().values():
        Answer.model_validate(task.answer_example)
        assert task.answer_example["id"]
