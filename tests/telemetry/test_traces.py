"""A request's spans: their names, their places in time, what they tell, and whose trace they go on."""

from __future__ import annotations

import time

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.telemetry.journal import Journal
from service.telemetry.traces import ENDPOINTS, Tracer, trace_id, wanted

PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Tracer(provider)


def journal() -> Journal:
    now = time.monotonic()
    told = Journal(inputs=1)
    told.note("prepare", now - 1.0, now - 0.9)
    told.answered(0, {"queue": 0.1, "encode": 0.2, "decode": 0.3}, 7, now - 0.2)
    told.note("draw", now - 0.2, now)
    return told


def test_phases_lie_inside_the_request_one_after_the_other(tracer, spans) -> None:
    span = tracer.begin("POST", {}, "abc")
    tracer.end(span, "/v1/translate", "POST", 200, model="m", journal=journal())
    *phases, request = spans.get_finished_spans()
    in_order = [one.name for one in sorted(phases, key=lambda one: one.start_time)]
    assert in_order == ["prepare", "queue", "encode", "steps", "draw"]
    assert request.name == "POST /v1/translate"
    assert {one.parent.span_id for one in phases} == {request.context.span_id}
    seconds = {one.name: (one.end_time - one.start_time) / 1e9 for one in phases}
    assert seconds["encode"] == pytest.approx(0.2, abs=1e-3) and seconds["steps"] == pytest.approx(0.3, abs=1e-3)


def test_a_request_tells_its_id_and_numbers(tracer, spans) -> None:
    tracer.end(tracer.begin("POST", {}, "abc"), "/v1/translate", "POST", 503, model="m", journal=journal())
    *_, request = spans.get_finished_spans()
    about = dict(request.attributes)
    assert about["http.request.header.x-request-id"] == ("abc",)
    assert (about["http.route"], about["http.response.status_code"], about["heed.tokens"]) == ("/v1/translate", 503, 7)
    assert not request.status.is_ok


def test_a_trace_that_the_caller_began_goes_on(tracer, spans) -> None:
    span = tracer.begin("GET", {"traceparent": f"00-{PARENT}-00f067aa0ba902b7-01"}, "abc")
    assert trace_id(span) == PARENT
    tracer.end(span, "/health", "GET", 200, model="-", journal=None)
    (request,) = spans.get_finished_spans()
    assert f"{request.parent.span_id:016x}" == "00f067aa0ba902b7"


def test_a_traceparent_that_is_none_begins_a_trace(tracer) -> None:
    assert int(trace_id(tracer.begin("GET", {"traceparent": "nonsense"}, "abc")), 16) != 0


@pytest.mark.parametrize(
    ("setting", "environment", "traced"),
    [
        ("auto", {}, False),
        ("auto", {ENDPOINTS[0]: "http://collector"}, True),
        ("auto", {ENDPOINTS[1]: "http://collector"}, True),
        ("on", {}, True),
        ("off", {ENDPOINTS[1]: "http://collector"}, False),
    ],
)
def test_traces_are_off_unless_somebody_says_so(setting, environment, traced) -> None:
    assert wanted(setting, environment) is traced
