"""POST /v1/detect, and `source: auto`: which language it is, said with how sure that is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.asking import problem, still_answers
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
FRENCH, ENGLISH = "Où est le petit chien noir ?", "Where is the old dog of the house?"


async def test_the_languages_that_are_translated_here_are_told_best_first(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/detect", json={"text": FRENCH})
    assert answer.status_code == 200
    told = answer.json()
    (one,) = told["results"]
    assert told["id"] == answer.headers["x-request-id"]
    assert (one["language"], one["confidence"] > 0.9) == ("fr", True)
    assert [guess["language"] for guess in one["guesses"]] == ["fr", "en", "de"]


async def test_several_texts_have_a_result_each_among_those_named(client: httpx.AsyncClient) -> None:
    body = {"text": [ENGLISH, FRENCH, "Wo ist der Hund?"], "among": ["de", "en", "fr"]}
    told = (await client.post("/v1/detect", json=body)).json()
    assert [one["language"] for one in told["results"]] == ["en", "fr", "de"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"text": " "}, 422, "text_empty"),
        ({"text": []}, 422, "text_empty"),
        ({"text": ["a", ""]}, 422, "text_empty"),
        ({"text": "a" * 301}, 422, "text_too_long"),
        ({"text": ["a"] * 6}, 422, "invalid_request"),
        ({"text": "a", "among": []}, 422, "invalid_request"),
        ({"text": "a", "q": "b"}, 422, "invalid_request"),
        ([1], 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_detected_is_a_problem(
    client: httpx.AsyncClient, body: Any, status: int, code: str
) -> None:
    problem(await client.post("/v1/detect", json=body), status, code)
    problem(await client.post("/v1/detect", content=b"{"), 400, "malformed_request")
    await still_answers(client)


@pytest.mark.parametrize(("text", "language", "model"), [(FRENCH, "fr", "tiny-fr-de"), (ENGLISH, "en", "tiny-en-de")])
async def test_auto_chooses_the_model_and_says_what_it_found(
    client: httpx.AsyncClient, text: str, language: str, model: str
) -> None:
    answer = await client.post("/v1/translate", json={"text": text, "source": "auto", "target": "de"})
    told = answer.json()
    assert told["model"].partition("@")[0] == model
    (result,) = told["results"]
    assert result["detected"]["language"] == language
    assert result["detected"]["confidence"] > 0.9
    assert result["language"] == "de"


async def test_auto_asks_only_for_sources_that_lead_to_the_target(client: httpx.AsyncClient) -> None:
    told = (await client.post("/v1/translate", json={"text": FRENCH, "source": "auto", "target": "fr"})).json()
    assert told["results"][0]["detected"] == {"language": "en", "confidence": 1.0}
    answer = await client.post("/v1/translate", json={"text": FRENCH, "source": "auto", "target": "nl"})
    problem(answer, 422, "unsupported_pair")
    body = {"text": FRENCH, "source": "AUTO", "target": "de", "model": "tiny-en-de"}
    assert (await client.post("/v1/translate", json=body)).json()["model"] == "tiny-en-de@0"


async def test_a_source_that_was_named_is_not_questioned(client: httpx.AsyncClient) -> None:
    told = (await client.post("/v1/translate", json={"text": FRENCH, "source": "en", "target": "de"})).json()
    assert "detected" not in told["results"][0]


async def test_letters_that_the_source_does_not_have_never_reach_an_engine(
    client: httpx.AsyncClient, link: FakeLink
) -> None:
    body = {"text": ["the dog", "犬が走る"], "source": "en", "target": "de"}
    told = problem(await client.post("/v1/translate", json=body), 422, "text_in_other_script")
    assert told["errors"][0]["pointer"] == "/text/1"
    assert not link.jobs
    await still_answers(client)
