"""LibreTranslate's dialect: what its clients send in every way they do, and answers of exactly its shape."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from service.api.gate import Gate
from service.api.protection import Protection
from service.errors import EngineFailed, QueueFull
from tests.api.conftest import BOUNDS, client_of
from tests.api.test_gate import keys

pytestmark = pytest.mark.anyio
ASKED = {"q": "the old house", "source": "en", "target": "de"}


def refused(answer: httpx.Response, status: int, why: str = "") -> None:
    """An error of exactly LibreTranslate's shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert re.search(why, answer.json()["error"]), answer.text


SENT: dict[str, dict[str, Any]] = {
    "json": {"json": ASKED},
    "json with charset": {"json": ASKED, "headers": {"content-type": "application/json; charset=utf-8"}},
    "urlencoded": {"data": ASKED},
    "multipart": {"files": {name: (None, value) for name, value in ASKED.items()}},
    "query": {"params": ASKED},
    "query beside a form": {"params": {"q": ASKED["q"]}, "data": {"source": "en", "target": "de"}},
}


async def test_fields_are_read_wherever_clients_put_them(client) -> None:
    for name, how in SENT.items():
        answer = await client.post("/translate", **how)
        assert (answer.status_code, answer.json()) == (200, {"translatedText": "the old house"}), name


async def test_unknown_fields_are_ignored_and_empty_ones_are_none(client) -> None:
    more = {"apiKey": "x", "secret": 1, "format": "", "alternatives": "", "api_key": "", "attention": None}
    answer = await client.post("/translate", json={**ASKED, **more})
    assert answer.json() == {"translatedText": "the old house"}


async def test_a_list_is_answered_by_a_list_of_one_order(client, link) -> None:
    answer = await client.post("/translate", json={**ASKED, "q": ["the ball", "a dog", "the river"]})
    assert answer.json() == {"translatedText": ["the ball", "a dog", "the river"]}
    assert len({job.owner for job in link.jobs}) == 1 and len(link.jobs) == 3
    assert not any(job.options.attention for job in link.jobs), "nobody asked for a map"


async def test_what_has_no_words_or_is_in_the_target_already_comes_back_and_costs_nothing(client, link) -> None:
    texts = ["…", "the ball", "", "  \n", "東京"]
    answer = await client.post("/translate", json={**ASKED, "q": texts})
    assert answer.json() == {"translatedText": texts}
    same = await client.post("/translate", json={**ASKED, "source": "de"})
    assert same.json() == {"translatedText": "the old house"}
    assert len(link.jobs) == 1


async def test_the_ends_of_lines_of_forms_are_those_that_people_wrote(client) -> None:
    form = await client.post("/translate", data={**ASKED, "q": "...\r\n..."})
    assert form.json() == {"translatedText": "...\n..."}


async def test_auto_tells_the_language_with_a_confidence_in_percent(client) -> None:
    one = (await client.post("/translate", json={**ASKED, "source": "auto"})).json()
    assert list(one) == ["translatedText", "detectedLanguage"]
    assert one["detectedLanguage"]["language"] == "en" and 50 < one["detectedLanguage"]["confidence"] <= 100
    texts = ["la vieille maison près de la rivière", "une petite maison"]
    two = (await client.post("/translate", json={"q": texts, "source": "auto", "target": "de"})).json()
    assert [found["language"] for found in two["detectedLanguage"]] == ["fr", "fr"]


async def test_auto_takes_the_best_language_that_leads_to_the_target(client, link) -> None:
    asked = {"q": "ein kleines Haus steht am Fluss", "source": "auto", "target": "fr"}
    told = (await client.post("/translate", json=asked)).json()
    assert told["detectedLanguage"]["language"] == "en", "German does not lead to French here"
    assert link.jobs[0].model.startswith("tiny-en-fr")


async def test_alternatives_are_others_than_the_first_nothing_twice(client) -> None:
    told = (await client.post("/translate", json={**ASKED, "alternatives": 2})).json()
    assert list(told) == ["translatedText", "alternatives"]
    assert told["translatedText"] not in told["alternatives"] and 1 <= len(set(told["alternatives"])) <= 2
    many = (await client.post("/translate", json={**ASKED, "q": ["the ball", "..."], "alternatives": "1"})).json()
    assert [len(others) for others in many["alternatives"]] == [1, 0]


async def test_alternatives_have_a_bound(client, link) -> None:
    most = BOUNDS.n_best - 1
    assert (await client.post("/translate", json={**ASKED, "alternatives": most})).status_code == 200
    refused(await client.post("/translate", json={**ASKED, "alternatives": most + 1}), 400, f"must be <= {most}")
    refused(await client.post("/translate", json={**ASKED, "alternatives": -1}), 400, "alternatives")
    refused(await client.post("/translate", data={**ASKED, "alternatives": "many"}), 400, "alternatives")
    assert len(link.jobs) == 1


async def test_what_is_more_than_libretranslate_has_comes_only_if_asked_for(client) -> None:
    asked = {**ASKED, "attention": True, "scores": "true", "model": "tiny-en-de"}
    told = (await client.post("/translate", json=asked)).json()
    assert set(told) == {"translatedText", "attention", "scores", "model"}
    assert told["attention"]["kind"] == "cross" and len(told["attention"]["weights"]) == 3
    assert told["scores"] < 0 and told["model"].startswith("tiny-en-de@")
    two = (await client.post("/translate", json={**asked, "q": ["ball", "..."], "model": True})).json()
    assert two["attention"][0]["kind"] == "cross" and two["attention"][1] is None
    assert len(two["scores"]) == len(two["model"]) == 2


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"q": None}, "^Invalid request: missing q parameter$"),
    ({"q": []}, "^Invalid request: missing q parameter$"),
    ({"source": None}, "^Invalid request: missing source parameter$"),
    ({"target": ""}, "^Invalid request: missing target parameter$"),
    ({"source": "zz"}, "^zz is not supported$"),
    ({"target": "zz"}, "^zz is not supported$"),
    ({"target": "<b>swordfish</b>"}, "^This language is not supported$"),
    (
        {"source": "fr", "target": "en"},
        r"^English \(en\) is not available as a target language from French \(fr\)$",
    ),
    ({"source": "fr", "target": "en", "q": "…"}, "is not available"),
    ({"format": "pdf"}, "format"),
    ({"q": 5}, "q"),
    ({"q": "x" * 301}, r"request \(301\) exceeds text limit \(300\)"),
    ({"q": ["x"] * 6}, r"request \(6\) exceeds text limit \(5\)"),
    ({"model": "none"}, "no such translate model"),
]


async def test_what_is_wrong_with_a_request_is_400_in_their_words(client) -> None:
    for changes, why in WRONG:
        refused(await client.post("/translate", json={**ASKED, **changes}), 400, why)


async def test_bodies_that_are_nothing_are_400_and_other_methods_405(client) -> None:
    for body in (b"{", b"[]", b'"x"', b"[" * 100_000):
        sent = await client.post("/translate", content=body, headers={"content-type": "application/json"})
        refused(sent, 400, "JSON")
    refused(await client.post("/translate", content=b"x", headers={"content-type": "text/plain"}), 400, "missing q")
    refused(await client.post("/translate", json=ASKED, headers={"content-encoding": "gzip"}), 400, "compressed")
    refused(await client.post("/translate", content=b"x" * 2_000_001), 400, "bytes")
    answer = await client.get("/translate")
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"


async def test_a_form_may_have_a_long_text(link) -> None:
    long = "...\n" * 30_000
    async with client_of(link, bounds=replace(BOUNDS, text_characters=200_000)) as client:
        for how in ({"files": {"q": (None, long)}}, {"data": {"q": long}}):
            answer = await client.post("/translate", params={"source": "en", "target": "de"}, **how)
            assert answer.json() == {"translatedText": long}


async def test_failures_of_ours_are_theirs_in_shape_and_say_when_to_come_again(client, link) -> None:
    link.error = QueueFull("Full.", retry_after=3)
    answer = await client.post("/translate", json=ASKED)
    refused(answer, 429, "Full")
    assert answer.headers["retry-after"] == "3"
    link.error = EngineFailed("the loop died")
    refused(await client.post("/translate", json=ASKED), 500, "the loop died")
    link.error = ValueError("swordfish")
    refused(await client.post("/translate", json=ASKED), 500, "^Something of ours")
    link.error = None
    link.drained = True
    refused(await client.post("/translate", json=ASKED), 503)


async def test_a_full_house_turns_this_work_away_at_the_door_too(link) -> None:
    async with client_of(link, max_requests=1) as client:
        link.hang = True
        first = asyncio.create_task(client.post("/translate", json=ASKED))
        await link.arrivals(1)
        refused(await client.post("/translate", content=b"{"), 429, "Too many requests")
        link.stopped.set()
        await first


async def test_a_region_is_taken_off_a_code_that_is_not_there(client) -> None:
    for source, target in (("en-US", "DE"), ("en_GB", "de-AT")):
        asked = {**ASKED, "source": source, "target": target}
        assert (await client.post("/translate", json=asked)).status_code == 200


async def test_detect_tells_what_a_text_may_be_best_first(client) -> None:
    told = (await client.post("/detect", data={"q": "ein kleines Haus steht am Fluss"})).json()
    assert told[0]["language"] == "de" and set(told[0]) == {"confidence", "language"}
    assert [one["confidence"] for one in told] == sorted((one["confidence"] for one in told), reverse=True)
    assert 90 < told[0]["confidence"] <= 100 and all(one["confidence"] > 0 for one in told)
    several = (await client.post("/detect", json={"q": ["une petite maison", "près de la rivière"]})).json()
    assert several[0]["language"] == "fr"
    refused(await client.post("/detect", json={}), 400, "^Invalid request: missing q parameter$")
    refused(await client.post("/detect", json={"q": "x" * 301}), 400, "exceeds text limit")


async def test_languages_are_told_with_what_they_lead_to(client) -> None:
    there = [
        {"code": "en", "name": "English", "targets": ["de", "fr"]},
        {"code": "fr", "name": "French", "targets": ["de"]},
        {"code": "de", "name": "German", "targets": []},
    ]
    by_code = {one["code"]: one for one in there}
    asks: Any = (
        ("GET", {}),
        ("GET", {"data": {}}),
        ("POST", {}),
        ("GET", {"headers": {"content-type": "application/json"}}),
    )
    for method, how in asks:
        told = (await client.request(method, "/languages", **how)).json()
        assert {one["code"]: {**one, "targets": sorted(one["targets"])} for one in told} == by_code


async def test_settings_are_told_as_their_page_asks_for_them(client, link, tmp_path) -> None:
    told = (await client.get("/frontend/settings")).json()
    assert told["charLimit"] == BOUNDS.text_characters
    assert not told["apiKeys"] and not told["keyRequired"] and told["filesTranslation"]
    assert set(told["language"]) == {"source", "target"} and "docx" in told["supportedFilesFormat"]
    _, ring = keys(tmp_path)
    async with client_of(link, protection=Protection(gate=Gate(ring=ring, required=True))) as guarded:
        told = (await guarded.get("/frontend/settings")).json()
        assert told["apiKeys"] and told["keyRequired"]


async def test_spec_and_health_are_what_their_clients_look_for(client) -> None:
    assert (await client.get("/spec")).json() == (await client.get("/openapi.json")).json()
    assert (await client.get("/health")).json()["status"] == "ok"


async def test_the_document_tells_of_these_routes_with_examples(client) -> None:
    document = (await client.get("/openapi.json")).json()
    for path in ("/translate", "/detect", "/v2/translate"):
        told = document["paths"][path]["post"]
        for media in told["requestBody"]["content"].values():
            assert all("examples" in media["schema"]["properties"][name] for name in media["schema"]["required"])
        assert {"200", "400", "403", "429", "500"} <= set(told["responses"]) and "422" not in told["responses"]
    assert document["components"]["schemas"]["LibreTranslateAnswer"]["properties"]["translatedText"]["examples"] == [
        "Hunde"
    ]
