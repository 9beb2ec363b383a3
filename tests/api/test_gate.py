"""Who is let in: keys in headers, what they open, how much they may ask for, and what the others are told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.api.gate import Gate
from service.api.protection import Protection, protect
from service.api.rates import Allowance, Rates, bucket
from service.errors import RateLimited
from service.keys import file, key
from service.keys.ring import KeyRing
from tests.api.asking import GOOD, problem, still_answers
from tests.api.conftest import client_of

pytestmark = pytest.mark.anyio
TOOK = datetime(2026, 1, 1, tzinfo=UTC)


def keys(path: Path, **about: Any) -> tuple[str, KeyRing]:
    """A key with these properties, and the ring it is on."""
    whole, id_, digest = key.make()
    one = key.Key(id=id_, name="a test", sha256=digest, created=TOOK, **about)
    file.change(path / "keys", lambda before: [*before, one])
    return whole, KeyRing(path / "keys", lambda: 0.0)


def guarded(link: Any, **how: Any) -> client_of:
    return client_of(link, protection=Protection(gate=Gate(**how)))


async def ask(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await client.post("/v1/translate", json=GOOD, headers=headers)


async def test_where_keys_are_required_none_is_401_and_a_wrong_one_403(link, tmp_path) -> None:
    whole, ring = keys(tmp_path)
    async with guarded(link, ring=ring, required=True) as client:
        answer = await ask(client)
        problem(answer, 401, "key_missing")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        wrong = whole[:-2] + "xx"
        for headers in ({"authorization": f"Bearer {wrong}"}, {"x-api-key": wrong}, {"x-api-key": "swordfish"}):
            refused = await ask(client, **headers)
            problem(refused, 403, "key_refused")
            assert wrong not in refused.text and "swordfish" not in refused.text
        assert not link.jobs


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "DeepL-Auth-Key {}", None])
async def test_a_good_key_is_heard_in_each_header(link, tmp_path, header) -> None:
    whole, ring = keys(tmp_path)
    headers = {"authorization": header.format(whole)} if header else {"x-api-key": whole}
    async with guarded(link, ring=ring, required=True) as client:
        assert (await ask(client, **headers)).status_code == 200


async def test_an_empty_key_is_no_key(link, tmp_path) -> None:
    _, ring = keys(tmp_path)
    async with guarded(link, ring=ring) as client:
        assert (await ask(client, **{"x-api-key": ""})).status_code == 200
        assert (await ask(client, authorization="Bearer ")).status_code == 200


async def test_where_keys_are_not_required_a_wrong_one_is_still_refused(link, tmp_path) -> None:
    _, ring = keys(tmp_path)
    async with guarded(link, ring=ring) as client:
        await still_answers(client)
        problem(await ask(client, **{"x-api-key": "heed_wrong"}), 403, "key_refused")


async def test_pages_and_health_are_for_everybody_and_models_are_not(link, tmp_path) -> None:
    _, ring = keys(tmp_path)
    async with guarded(link, ring=ring, required=True) as client:
        for path in ("/", "/docs", "/openapi.json", "/health", "/health/live", "/health/ready", "/assets/page.css"):
            assert (await client.get(path)).status_code == 200, path
        for path in ("/v1/models", "/v1/models/x", "/nothing", "//v1/models", "/assets", "/health/../v1/models"):
            assert (await client.get(path)).status_code in (401, 404), path
        problem(await client.get("/v1/models"), 401, "key_missing")
        problem(await client.get("/metrics"), 401, "key_missing")


async def test_a_body_is_not_read_for_somebody_who_is_not_let_in(link, tmp_path) -> None:
    _, ring = keys(tmp_path)
    async with guarded(link, ring=ring, required=True) as client:
        large = await client.post("/v1/translate", content=b"x" * 50_000_000)
        problem(large, 401, "key_missing")


async def test_a_key_for_work_does_not_open_an_admin_door_nor_the_reverse(link, tmp_path) -> None:
    work, _ = keys(tmp_path)
    admin, ring = keys(tmp_path, scopes=("admin",))
    app = FastAPI()

    @app.get("/admin/models")
    async def models() -> dict[str, str]:
        return {}

    protect(app, Protection(gate=Gate(ring, True, "admin")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://heed") as client:
        problem(await client.get("/admin/models", headers={"x-api-key": work}), 403, "key_refused")
        assert (await client.get("/admin/models", headers={"x-api-key": admin})).status_code == 200
    async with guarded(link, ring=ring, required=True) as client:
        problem(await ask(client, **{"x-api-key": admin}), 403, "key_refused")


async def test_an_expired_key_is_refused(link, tmp_path) -> None:
    whole, ring = keys(tmp_path, expires=TOOK)
    async with guarded(link, ring=ring, required=True, clock=TOOK.timestamp) as client:
        problem(await ask(client, **{"x-api-key": whole}), 403, "key_refused")


async def test_an_address_has_its_limit_and_is_told_how_much_is_left(link) -> None:
    async with guarded(link, by_address=Allowance("2/day")) as client:
        first = await ask(client)
        assert first.headers["ratelimit-policy"] == '"requests";q=2;w=86400'
        assert first.headers["ratelimit"].startswith('"requests";r=1;t=')
        await ask(client)
        refused = await ask(client)
        told = problem(refused, 429, "rate_limited")
        assert told["limit"] == 2
        assert 1 <= int(refused.headers["retry-after"]) <= 86400
        assert (await client.get("/health")).status_code == 200


async def test_a_key_has_a_limit_of_its_own_and_leaves_that_of_its_address_alone(link, tmp_path) -> None:
    whole, ring = keys(tmp_path, requests="1/day")
    async with guarded(link, ring=ring, by_address=Allowance("1/day"), by_key=Allowance("100/day")) as client:
        assert (await ask(client, **{"x-api-key": whole})).status_code == 200
        problem(await ask(client, **{"x-api-key": whole}), 429, "rate_limited")
        assert (await ask(client)).status_code == 200
        problem(await ask(client), 429, "rate_limited")


async def test_guessing_keys_is_limited_as_asking_without_one_is(link, tmp_path) -> None:
    _, ring = keys(tmp_path)
    async with guarded(link, ring=ring, by_address=Allowance("2/day")) as client:
        for _ in range(2):
            problem(await ask(client, **{"x-api-key": "heed_guess"}), 403, "key_refused")
        problem(await ask(client, **{"x-api-key": "heed_guess"}), 429, "rate_limited")


async def test_rows_count_what_a_request_costs(link) -> None:
    async with guarded(link, by_address=Allowance(rows="8/day")) as client:
        asked = {**GOOD, "text": ["house", "ball"], "beam_size": 4}
        assert (await client.post("/v1/translate", json=asked)).status_code == 200
        problem(await client.post("/v1/translate", json=asked), 429, "rate_limited")
        assert len(link.jobs) == 2


async def test_a_request_that_costs_too_much_keeps_nobody_from_asking_for_less() -> None:
    rates = Rates()
    with pytest.raises(RateLimited):
        await rates.spend("somebody", "rows", "10/day", 11)
    standing = await rates.spend("somebody", "rows", "10/day", 10)
    assert standing is not None and standing.left == 0


async def test_where_the_shared_count_is_gone_each_server_counts_by_itself(caplog) -> None:
    rates = Rates("redis://127.0.0.1:1")
    await rates.spend("somebody", "requests", "1/day")
    with pytest.raises(RateLimited):
        await rates.spend("somebody", "requests", "1/day")
    assert "counted by this process alone" in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_addresses_are_counted_in_numbers_that_do_not_tell_them() -> None:
    assert bucket("192.0.2.7") == bucket("::ffff:192.0.2.7") != bucket("192.0.2.8")
    assert bucket("2001:db8:0:1::1") == bucket("2001:db8:0:1:ffff::2") != bucket("2001:db8:0:2::1")
    assert "192" not in bucket("192.0.2.7")
    assert bucket("testclient") == bucket("") == "address-none"


async def test_answers_carry_headers_that_let_browsers_do_nothing(client) -> None:
    for path in ("/v1/models", "/nothing", "/openapi.json"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml"])
async def test_a_drawn_map_that_is_opened_as_a_page_stands_apart_from_ours(client, media) -> None:
    answer = await client.post("/v1/translate", json=GOOD, headers={"accept": media})
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow-same-origin" not in answer.headers["content-security-policy"]


async def test_no_page_runs_a_script_that_is_not_ours(client) -> None:
    for path in ("/", "/docs"):
        policy = (await client.get(path)).headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy


async def test_other_sites_may_not_ask_unless_they_are_named(link) -> None:
    asks = {"origin": "https://good.example", "access-control-request-method": "POST"}
    async with client_of(link) as client:
        assert "access-control-allow-origin" not in (await client.options("/v1/translate", headers=asks)).headers
        assert "access-control-allow-origin" not in (await ask(client, origin="https://good.example")).headers
    async with client_of(link, protection=Protection(origins=("https://good.example",))) as client:
        assert (await client.options("/v1/translate", headers=asks)).status_code == 200
        named = await ask(client, origin="https://good.example")
        assert named.headers["access-control-allow-origin"] == "https://good.example"
        assert "access-control-allow-credentials" not in named.headers
        other = await ask(client, origin="https://bad.example")
        assert "access-control-allow-origin" not in other.headers
