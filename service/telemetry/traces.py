"""OpenTelemetry spans of a request: request → prepare, queue, encode, steps, draw, written when it has ended.

Knows nothing of HTTP frameworks. FastAPI's own spans hold paths, queries and exceptions' messages, which may be what
somebody wrote; these hold a route's template, names, numbers and the request's id. The engine's phases were timed where
they happened and are laid out backwards from when its answer came, so nothing has to travel to a worker and back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from service.telemetry.journal import Journal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "heed"
INSTALL = "from the checkout, .venv/bin/python -m pip install -c constraints/dev.txt -e '.[serve,otel]'"


class NotInstalled(RuntimeError):
    """Traces are wanted and the libraries of the extra `otel` are not there."""


def wanted(setting: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to trace: `on`, or `auto` where the environment says where spans go to."""
    return setting == "on" or (setting == "auto" and any(environment.get(name) for name in ENDPOINTS))


def exporting() -> Tracer:
    """A tracer that sends spans as OTEL_EXPORTER_OTLP_… and OTEL_TRACES_SAMPLER say, from a thread of its own.

    Raises:
        NotInstalled: the extra is missing.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        raise NotInstalled(f"traces need the extra otel: {INSTALL}") from missing
    told = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE}
    provider = TracerProvider(resource=Resource.create(told))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracer(provider)


class Tracer:
    """Writes the spans of requests to a provider."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.provider = provider
        self.tracer = provider.get_tracer(SERVICE)
        self.context = TraceContextTextMapPropagator()

    def begin(self, method: str, headers: Mapping[str, str], request_id: str) -> Span:
        """A request has come; it goes on a trace that its `traceparent` names, if it has one."""
        from opentelemetry.trace import SpanKind

        carrier = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        about = {"http.request.method": method, "http.request.header.x-request-id": (request_id,)}
        return self.tracer.start_span(
            method, context=self.context.extract(carrier), kind=SpanKind.SERVER, attributes=about
        )

    def end(self, span: Span, route: str, method: str, status: int, *, model: str, journal: Journal | None) -> None:
        """It has been answered: name its span after its route, and write its phases."""
        from opentelemetry.trace import StatusCode, set_span_in_context

        span.update_name(f"{method} {route}")
        span.set_attributes({"http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        if journal is not None and span.is_recording():
            span.set_attributes({"heed.model": model, "heed.inputs": journal.inputs, "heed.tokens": journal.tokens})
            inside, epoch = set_span_in_context(span), time.time() - time.monotonic()
            for phase in journal.phases:
                about = {} if phase.input is None else {"heed.input": phase.input}
                one = self.tracer.start_span(
                    phase.name, inside, attributes=about, start_time=_nanoseconds(phase.began + epoch)
                )
                one.end(_nanoseconds(phase.ended + epoch))
        span.end()

    def close(self) -> None:
        """Send what is left. May take seconds where nobody listens."""
        self.provider.shutdown()


def trace_id(span: Any) -> str:
    """As logs and other tools write it."""
    return f"{span.get_span_context().trace_id:032x}"


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
