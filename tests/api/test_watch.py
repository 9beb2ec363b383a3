"""Requests are counted, logged and traced by what they are, never by what is in them."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from service.errors import EngineFailed, QueueFull
from service.telemetry.logs import Json
from service.telemetry.traces import Tracer
from tests.api.asking import GOOD, describe, picture
from tests.api.conftest import client_of
from tests.api.raw import Raw
from tests.api.sse import events
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
WORDS = ("quick", "lazy", "fluss", "sk-heed", "10.1.2.3", "nosuchmodel", "nosuchpath")


async def counted(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    text = (await client.get("/metrics")).text
    found = [one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name]
    return sum(one.value for one in found if labels.items() <= one.labels.items())


async def test_counts_match_the_requests_made(client, link) -> None:
    for _ in range(3):
        assert (await client.post("/v1/translate", json=GOOD)).status_code == 200
    await describe(client, picture())
    await client.post("/v1/translate", json={"text": ""})
    link.refusal = QueueFull(retry_after=3)
    await client.post("/v1/translate", json=GOOD)
    about = {"route": "/v1/translate", "pair": "en-de", "model": "tiny-en-de"}
    assert await counted(client, "heed_requests_total", status="200", **about) == 3
    assert await counted(client, "heed_requests_total", status="429", **about) == 1
    assert await counted(client, "heed_requests_total", route="/v1/caption", pair="image-en", status="200") == 1
    assert await counted(client, "heed_requests_total", route="/v1/translate", status="422") == 1
    assert await counted(client, "heed_request_duration_seconds_count", route="/v1/translate") == 5
    assert await counted(client, "heed_rejected_total", reason="queue_full") == 1
    assert await counted(client, "heed_attention_entropy_count", model="tiny-en-de") == 3


async def test_an_error_of_ours_is_not_a_refusal(client, link) -> None:
    link.error = EngineFailed()
    await client.post("/v1/translate", json=GOOD)
    assert await counted(client, "heed_requests_total", status="500") == 1
    assert await counted(client, "heed_rejected_total") == 0


async def test_a_stream_that_breaks_counts_as_what_broke_it(client, link) -> None:
    link.error = EngineFailed()
    answer = await client.post("/v1/translate", json={**GOOD, "stream": True})
    assert events(answer.text)[-1].event == "error"
    assert await counted(client, "heed_requests_total", status="500", model="tiny-en-de") == 1


async def test_a_stream_counts_its_maps_too(client) -> None:
    await client.post("/v1/translate", json={**GOOD, "stream": True})
    assert await counted(client, "heed_attention_entropy_count") == 1


async def test_a_client_that_leaves_is_no_error_of_ours(link: FakeLink) -> None:
    link.hang = True
    async with client_of(link) as client:
        app = client._transport.app  # type: ignore[attr-defined]
        waiting = Raw(app)
        await link.arrivals(1)
        waiting.leave()
        await waiting.over()
        uploading = Raw(app)
        uploading.unread = [{"type": "http.request", "body": b'{"text"', "more_body": True}]
        uploading.leave()
        await uploading.over()
        assert await counted(client, "heed_requests_total", route="/v1/translate", status="499") == 2
        assert await counted(client, "heed_requests_total", status="500") == 0


async def tease(client: httpx.AsyncClient) -> None:
    """Everything somebody may write somewhere, in every place there is."""
    headers = {"Authorization": "Bearer sk-heed-1", "X-API-Key": "sk-heed-2", "X-Forwarded-For": "10.1.2.3"}
    for body in ({**GOOD, "text": "quick lazy"}, {**GOOD, "model": "nosuchmodel"}, {**GOOD, "source": "fluss"}):
        await client.post("/v1/translate?q=quick", json=body, headers=headers)
        await client.post("/v1/translate", json=body, headers=headers)
        await client.post("/v1/translate", json={**body, "stream": True}, headers=headers)
    await client.get("/v1/models/nosuchmodel", headers=headers)
    await client.get("/nosuchpath/quick?key=sk-heed-3", headers=headers)
    await client.request("LAZY", "/v1/translate", headers=headers)
    await client.post("/v1/translate", content=b'{"text": "quick', headers=headers)


async def test_no_metric_and_no_record_has_anything_that_somebody_wrote(client, link, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    await tease(client)
    link.error = ValueError("quick lazy: the message of an error of ours quotes the user")
    await tease(client)
    everything = (await client.get("/metrics")).text + "".join(map(Json().format, ours(caplog.records)))
    assert "/v1/translate" in everything and "tiny-en-de" in everything
    assert [word for word in WORDS if word in everything.lower()] == []


def ours(records: list[logging.LogRecord]) -> list[logging.LogRecord]:
    """Without those of the client, which is in this process too."""
    return [record for record in records if not record.name.startswith(("httpx", "httpcore"))]


async def test_a_request_has_one_record_with_its_id_and_numbers(client, caplog) -> None:
    caplog.set_level(logging.INFO, "heed.access")
    await client.post("/v1/translate", json=GOOD, headers={"X-Request-ID": "mine"})
    (record,) = ours(caplog.records)
    told = json.loads(Json().format(record))
    assert {name: told[name] for name in ("request_id", "route", "status", "model", "inputs")} == {
        "request_id": "mine", "route": "/v1/translate", "status": 200, "model": "tiny-en-de", "inputs": 1,
    }  # fmt: skip
    assert told["tokens"] > 3
    assert told["seconds"] >= 0


async def test_metrics_may_be_kept_from_the_public(link) -> None:
    async with client_of(link, expose=False) as client:
        assert (await client.get("/metrics")).status_code == 404


async def test_a_models_card_tells_how_it_fares(client) -> None:
    for _ in range(2):
        await client.post("/v1/translate", json=GOOD)
    told = (await client.get("/v1/models/tiny-en-de")).json()
    assert told["name"] == "tiny-en-de"
    assert told["statistics"]["requests"] == 2
    assert told["statistics"]["step_duration"] == {"p50": None, "p95": None, "p99": None}, "a fake makes no steps"
    assert "statistics" not in (await client.get("/v1/models")).text


async def test_spans_follow_a_request_and_quote_nobody(link: FakeLink) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    async with client_of(link, tracer=Tracer(provider)) as client:
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        await client.post("/v1/translate", json=GOOD, headers={"X-Request-ID": "mine", "traceparent": parent})
        *phases, request = spans.get_finished_spans()
        assert {one.name for one in phases} == {"prepare", "queue", "encode", "steps", "draw"}
        assert dict(request.attributes or {})["http.request.header.x-request-id"] == ("mine",)
        assert {f"{one.context.trace_id:032x}" for one in (*phases, request)} == {parent.split("-")[1]}
        await tease(client)
        everything = "".join(one.to_json() for one in spans.get_finished_spans()).lower()
        assert [word for word in WORDS if word in everything] == []


async def test_a_version_named_in_full_has_the_same_statistics(client) -> None:
    await client.post("/v1/translate", json=GOOD)
    by_name, by_version = [(await client.get(f"/v1/models/tiny-en-de{at}")).json()["statistics"] for at in ("", "@0")]
    assert by_name["requests"] == by_version["requests"] == 1
