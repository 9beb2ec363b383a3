"""DeepL's dialect: what its clients send, and answers and errors of exactly its shape."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from service.api.gate import Gate
from service.api.protection import Protection
from service.api.rates import Allowance
from service.errors import QueueFull
from tests.api.conftest import BOUNDS, client_of
from tests.api.test_gate import keys
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
ASKED = {"text": ["the old house"], "target_lang": "DE", "source_lang": "EN"}


def refused(answer: httpx.Response, status: int, why: str = "") -> None:
    """An error of exactly DeepL's shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["message"]
    assert re.search(why, answer.json()["message"]), answer.text


async def test_json_and_forms_with_a_repeated_text_are_read(client, link) -> None:
    asked = {**ASKED, "text": ["the ball", "a dog"]}
    for how in ({"json": asked}, {"data": asked}):
        told = (await client.post("/v2/translate", **how)).json()
        assert told == {
            "translations": [
                {"detected_source_language": "EN", "text": "the ball"},
                {"detected_source_language": "EN", "text": "a dog"},
            ]
        }
    assert len({job.owner for job in link.jobs}) == 2, "an order a request"
    one = (await client.post("/v2/translate", data={**ASKED, "text": "the ball"})).json()
    assert [said["text"] for said in one["translations"]] == ["the ball"]


async def test_each_text_has_a_language_of_its_own_and_short_ones_that_of_all(client, link) -> None:
    texts = [
        "la vieille maison est dans le grand parc",
        "the quick brown fox jumps over the lazy dog in the park",
        "the small house near the old river is white and grey",
        "ein kleines Haus steht am Fluss, und zwei Kinder spielen",
    ]
    told = (await client.post("/v2/translate", json={"text": texts, "target_lang": "de"})).json()["translations"]
    assert [said["detected_source_language"] for said in told] == ["FR", "EN", "EN", "DE"]
    assert told[1]["text"] == "the quick brown fox jumps over the lazy dog in the park" and told[3]["text"] == texts[3]
    assert sorted(job.model.partition("@")[0] for job in link.jobs) == ["tiny-en-de", "tiny-en-de", "tiny-fr-de"]
    short = (await client.post("/v2/translate", json={"text": [texts[0], "the dog"], "target_lang": "de"})).json()
    assert [said["detected_source_language"] for said in short["translations"]] == ["FR", "FR"]


async def test_a_region_is_taken_off_where_the_language_alone_is_there(client) -> None:
    for target, source in (("DE", "EN"), ("de", "EN-GB"), ("De", "en-us"), ("DE-AT", None)):
        answer = await client.post("/v2/translate", json={**ASKED, "target_lang": target, "source_lang": source})
        assert answer.status_code == 200


async def test_what_is_counted_is_told_if_asked_for(client) -> None:
    more = {"show_billed_characters": True, "model_type": "prefer_quality_optimized"}
    (said,) = (await client.post("/v2/translate", json={**ASKED, **more})).json()["translations"]
    assert (said["billed_characters"], said["model_type_used"]) == (13, "quality_optimized")
    form = await client.post("/v2/translate", data={**ASKED, "show_billed_characters": "1"})
    assert form.json()["translations"][0]["billed_characters"] == 13


async def test_what_only_helps_changes_nothing(client) -> None:
    more = {
        "context": "About houses.",
        "split_sentences": "nonewlines",
        "preserve_formatting": True,
        "formality": "prefer_less",
        "outline_detection": False,
        "tag_handling_version": "v2",
        "glossary_id": None,
        "ignore_tags": [],
        "something_new": {"a": 1},
    }
    assert (await client.post("/v2/translate", json={**ASKED, **more})).status_code == 200


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"text": None}, "^Parameter 'text' not specified"),
    ({"text": []}, "^Parameter 'text' not specified"),
    ({"target_lang": ""}, "^Parameter 'target_lang' not specified"),
    ({"target_lang": "XX"}, "^XX is not supported$"),
    ({"source_lang": "XX"}, "^XX is not supported$"),
    ({"source_lang": "FR", "target_lang": "EN-GB"}, "English .* is not available"),
    ({"text": [5]}, "'text'"),
    ({"formality": "more"}, "'formality' is not supported"),
    ({"formality": "rude"}, "'formality'"),
    ({"glossary_id": "abc"}, "'glossary_id' is not supported: there are no stored glossaries"),
    ({"glossary_ids": ["abc"]}, "'glossary_ids' is not supported"),
    ({"style_id": "abc"}, "'style_id' is not supported"),
    ({"translation_memory_id": "abc"}, "'translation_memory_id' is not supported"),
    ({"custom_instructions": ["be brief"]}, "'custom_instructions' is not supported"),
    ({"tag_handling": "xml"}, "'tag_handling' is not supported"),
    ({"tag_handling": "html", "ignore_tags": ["x"]}, "'ignore_tags' is not supported"),
]


async def test_what_would_deceive_if_it_changed_nothing_is_refused(client, link) -> None:
    for changes, why in WRONG:
        refused(await client.post("/v2/translate", json={**ASKED, **changes}), 400, why)
    assert not link.jobs


async def test_too_much_is_413_and_other_methods_405(client) -> None:
    refused(await client.post("/v2/translate", json={**ASKED, "text": ["x"] * (BOUNDS.texts + 1)}), 413, "limit")
    refused(await client.post("/v2/translate", json={**ASKED, "text": "x" * 301}), 413, "limit")
    refused(await client.post("/v2/translate", content=b"x" * 2_000_001), 413)
    refused(await client.get("/v2/translate"), 405)
    refused(await client.post("/v2/translate", content=b"{", headers={"content-type": "application/json"}), 400)


async def test_a_key_is_heard_as_deepls_clients_send_it_and_its_absence_is_403(link, tmp_path) -> None:
    whole, ring = keys(tmp_path)
    async with client_of(link, protection=Protection(gate=Gate(ring=ring, required=True))) as client:
        good = {"authorization": f"DeepL-Auth-Key {whole}"}
        assert (await client.post("/v2/translate", json=ASKED, headers=good)).status_code == 200
        for method, path in (("POST", "/v2/translate"), ("GET", "/v2/usage"), ("GET", "/v2/languages")):
            refused(await client.request(method, path), 403, "key")
            refused(await client.request(method, path, headers={"authorization": "DeepL-Auth-Key x"}), 403, "key")
        assert (await client.get("/v2/usage", headers=good)).json()["character_count"] == 13


async def test_a_limit_that_passes_soon_is_429_and_one_that_does_not_is_the_quota(bundles) -> None:
    for requests, status in (("1/minute", 429), ("1/day", 456)):
        protection = Protection(gate=Gate(by_address=Allowance(requests)))
        async with client_of(FakeLink(bundles), protection=protection) as client:
            assert (await client.post("/v2/translate", json=ASKED)).status_code == 200
            answer = await client.post("/v2/translate", json=ASKED)
            refused(answer, status, "At most 1 requests")
            assert int(answer.headers["retry-after"]) >= 1


async def test_a_full_queue_is_429(client, link) -> None:
    link.error = QueueFull(retry_after=3)
    refused(await client.post("/v2/translate", json=ASKED), 429)


async def test_languages_are_told_for_each_side_in_their_codes(client) -> None:
    sources = (await client.get("/v2/languages")).json()
    assert {one["language"]: one["name"] for one in sources} == {"EN": "English", "FR": "French"}
    for how in ({"params": {"type": "target"}}, {"data": {"type": "target"}}):  # their own client sends a form
        targets = (await client.request("GET", "/v2/languages", **how)).json()
        assert targets == [
            {"language": "DE", "name": "German", "supports_formality": False},
            {"language": "FR", "name": "French", "supports_formality": False},
        ]
    refused(await client.get("/v2/languages?type=both"), 400, "'type'")


async def test_usage_counts_the_characters_of_whoever_asks(client) -> None:
    before = (await client.get("/v2/usage")).json()
    await client.post("/v2/translate", json=ASKED)
    after = (await client.get("/v2/usage")).json()
    assert after["character_count"] - before["character_count"] == 13
    assert after["character_limit"] == before["character_limit"] > 10**9
