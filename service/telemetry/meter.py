"""Every figure in Prometheus' words: what the front counts itself, and what engines report.

Knows nothing of HTTP or of links. Labels are route templates, names of loaded models, pairs, statuses, devices and
codes of errors, each from a list of ours: never a text, a key, an address or a path that somebody sent.
"""

from __future__ import annotations

from collections import Counter as Sums
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bundle.manifest import Bundle
from service.telemetry.entropy import entropy
from service.telemetry.figures import HISTOGRAMS, LEVELS, Vitals, counter, histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 30.0)
SHARES = tuple(round(0.05 * i, 2) for i in range(1, 21))
NONE = "-"  # the label of what has none
HELP = {
    "step_duration_seconds": "One step of one table: its inputs gathered, the graph run, the search advanced.",
    "step_rows": "Beam rows that a step was made for, those of beams that are narrower than their table included.",
    "queue_wait_seconds": "From a job's arrival at its engine until it is seated.",
    "time_to_first_token_seconds": "From a job's arrival at its engine until its first token is chosen.",
    "tokens_out": "Tokens of the best hypothesis of each finished job, ends of sentence included.",
    "cancelled": "Jobs given up because nobody waited for them any more.",
    "queue_depth": "Beam rows that wait for a seat (the unit of HEED_QUEUE); device - waits for any worker.",
    "seated_sequences": "Jobs that are being worked on.",
}
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Meter:
    """Counts for one application; `registry` is its own, so that two in one process do not meet."""

    def __init__(self, vitals: Callable[[], Vitals], bundles: Callable[[], Mapping[str, Bundle]]) -> None:
        """How the engines are now, and which models are loaded now."""
        self.vitals, self.bundles = vitals, bundles
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self.asked: Sums[str] = Sums()  # requests by model, for those who ask about one
        self.requests = Counter("heed_requests", "Requests answered.", ["route", "model", "pair", "status"], **own)
        self.duration = Histogram(
            "heed_request_duration_seconds",
            "From the head of a request to the last byte of its answer; a stream is long.",
            ["route", "model", "status"],
            buckets=SECONDS,
            **own,
        )
        self.rejected = Counter("heed_rejected", "Requests turned away, by the code of the error.", ["reason"], **own)
        self.looking = Histogram(
            "heed_attention_entropy",
            "Entropy of each map that was asked for, as a share of the most it could be: 0 is one place a word.",
            ["model", "pair"],
            buckets=SHARES,
            **own,
        )
        self.registry.register(Engines(self))

    def request(self, route: str, model: str, status: int, seconds: float) -> None:
        """A request has ended."""
        self.asked[model] += 1
        self.requests.labels(route, model, self.pair(model), status).inc()
        self.duration.labels(route, model, status).observe(seconds)

    def refused(self, code: str) -> None:
        """A request was turned away, with an error of this code."""
        self.rejected.labels(code).inc()

    def answered(self, model: str, rows: np.ndarray | None) -> None:
        """A job's best hypothesis has these attention rows, if any."""
        found = None if rows is None else entropy(rows)
        if found is not None:
            self.looking.labels(model, self.pair(model)).observe(found)

    def pair(self, model: str) -> str:
        """The languages of a model, as a label."""
        bundle = self.bundles().get(model)
        return NONE if bundle is None else bundle.manifest.languages

    def exposed(self, accept: str = "") -> tuple[bytes, str]:
        """Everything, in the format that a scraper likes best, and that format's media type."""
        encode, media = prometheus_client.exposition.choose_encoder(accept)
        return encode(self.registry), media


class Engines(Collector):
    """What engines report, by model, pair and device."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def describe(self) -> list[Metric]:
        """Nothing: the registry need not ask the engines when this is made."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family once, with a sample for each engine."""
        vitals = self.meter.vitals()
        labels = ["model", "pair", "device"]
        engines = [(self._labels(model, device), told) for (model, device), told in vitals.figures.items()]
        for name, bounds in HISTOGRAMS.items():
            family = HistogramMetricFamily(f"heed_{name}", HELP[name], labels=labels)
            for values, told in engines:
                buckets, total = histogram(told.counts, name)
                upto = np.cumsum(buckets).tolist()
                ends = [*map(str, bounds), "+Inf"]
                family.add_metric(values, list(zip(ends, upto, strict=True)), total)
            yield family
        for name in ("tokens_out", "cancelled"):
            counted = CounterMetricFamily(f"heed_{name}", HELP[name], labels=labels)
            for values, told in engines:
                counted.add_metric(values, counter(told.counts, name))
            yield counted
        for place, name in enumerate(LEVELS):
            level = GaugeMetricFamily(f"heed_{name}", HELP[name], labels=labels)
            for values, told in engines:
                level.add_metric(values, float(told.levels[place]))
            if name == "queue_depth":
                for model, rows in vitals.homeless.items():
                    level.add_metric(self._labels(model, NONE), rows)
            yield level
        yield from self._workers(vitals)

    def _workers(self, vitals: Vitals) -> Iterator[Metric]:
        up = GaugeMetricFamily("heed_worker_up", "Workers that take jobs now.", labels=["device"])
        for device, number in vitals.up.items():
            up.add_metric([device], number)
        yield up
        restarts = CounterMetricFamily(
            "heed_worker_restarts", "Workers that died and were replaced.", labels=["device"]
        )
        for device, number in vitals.restarts.items():
            restarts.add_metric([device], number)
        yield restarts

    def _labels(self, model: str, device: str) -> list[str]:
        return [model, self.meter.pair(model), device]
