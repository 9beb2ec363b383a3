"""Who may ask in another service's dialect: keys in fields, limits of rate, other sites' pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.api.dialect import TOLD
from service.api.gate import Gate
from service.api.protection import Protection
from service.api.rates import Allowance
from tests.api.conftest import client_of
from tests.api.test_gate import keys
from tests.api.test_libretranslate import ASKED, refused
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
PAGE = "https://page.example"


async def test_a_key_is_heard_in_a_field_the_query_or_a_header(link, tmp_path) -> None:
    whole, ring = keys(tmp_path)
    async with client_of(link, protection=Protection(gate=Gate(ring=ring, required=True))) as client:
        ways: list[dict[str, Any]] = [
            {"json": {**ASKED, "api_key": whole}},
            {"data": {**ASKED, "api_key": whole}},
            {"params": {**ASKED, "api_key": whole}},
            {"json": ASKED, "params": {"api_key": whole}},
            {"json": {**ASKED, "api_key": ""}, "headers": {"authorization": f"Bearer {whole}"}},
        ]
        for how in ways:
            assert (await client.post("/translate", **how)).status_code == 200, how
        for body in (ASKED, {**ASKED, "api_key": ""}, {**ASKED, "apiKey": whole}, {**ASKED, "api_key": "swordfish"}):
            answer = await client.post("/translate", json=body)
            refused(answer, 403, "key")
            assert "swordfish" not in answer.text
        refused(await client.post("/translate", content=b"{", headers={"content-type": "application/json"}), 403, "key")
        refused(await client.post("/detect", data={"q": "the ball"}), 403, "key")
        assert (await client.post("/detect", data={"q": "the ball", "api_key": whole})).status_code == 200
        for path in ("/languages", "/frontend/settings", "/spec", "/health"):
            assert (await client.get(path)).status_code == 200, "clients ask these without their key"


async def test_where_keys_are_not_required_none_will_do_and_a_wrong_one_will_not(link, tmp_path) -> None:
    _, ring = keys(tmp_path)
    async with client_of(link, protection=Protection(gate=Gate(ring=ring))) as client:
        assert (await client.post("/translate", json={**ASKED, "api_key": ""})).status_code == 200
        refused(await client.post("/translate", json={**ASKED, "api_key": "swordfish"}), 403)


async def test_where_there_are_no_keys_any_will_do(client) -> None:
    assert (await client.post("/translate", json={**ASKED, "api_key": "anything"})).status_code == 200


async def test_rates_count_here_as_everywhere(link, tmp_path) -> None:
    whole, ring = keys(tmp_path, requests="2/day")
    gate = Gate(ring=ring, by_address=Allowance(rows="8/day"))
    async with client_of(link, protection=Protection(gate=gate)) as client:
        first = await client.post("/translate", json={**ASKED, "api_key": whole})
        assert first.headers["ratelimit"].startswith('"requests";r=1;')
        await client.post("/detect", json={"q": "the ball", "api_key": whole})
        answer = await client.post("/translate", json={**ASKED, "api_key": whole})
        refused(answer, 429, "At most 2 requests")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await client.post("/translate", json={**ASKED, "q": ["ball", "dog"]})).status_code == 200
        refused(await client.post("/translate", json=ASKED), 429, "At most 8 rows")


async def test_every_page_may_ask_here_unless_the_operator_says_otherwise_and_nowhere_else(link, bundles) -> None:
    asks = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    async with client_of(link, protection=Protection(dialect_origins=("*",))) as client:
        assert (await client.options("/translate", headers=asks)).headers["access-control-allow-origin"] == "*"
        answer = await client.post("/translate", json=ASKED, headers={"origin": PAGE})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert TOLD[0].lower() in answer.headers["access-control-expose-headers"].lower()
        for path in ("/v1/translate", "/v1/models", "/translate/"):
            assert "access-control-allow-origin" not in (await client.options(path, headers=asks)).headers
    async with client_of(FakeLink(bundles), protection=Protection(origins=(PAGE,))) as client:
        assert "access-control-allow-origin" not in (await client.options("/translate", headers=asks)).headers
        assert (await client.options("/v1/translate", headers=asks)).headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("path", ["/translate", "/v2/translate"])
async def test_work_is_given_up_when_its_client_leaves(link, path) -> None:
    link.hang = True
    body = json.dumps({**ASKED, "text": ["the ball", "a dog"], "target_lang": "de", "source_lang": "en"}).encode()
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await link.arrivals(1)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    told = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, "client": None}
    serving = client_of(link)
    async with serving:
        await serving.app({**told, "raw_path": path.encode(), "server": ("heed", 80), "scheme": "http"}, receive, send)
    assert link.cancelled and not link.seated
    assert sent[0]["status"] == 499


async def test_answers_are_kept_by_nobody_on_the_way(client) -> None:
    answer = await client.post("/translate", json=ASKED)
    assert answer.headers["cache-control"] == "no-store"
