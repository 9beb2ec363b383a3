"""What is exposed: the names that are promised, the labels that are allowed, and numbers that add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from bundle.manifest import Bundle
from service.telemetry.figures import Tally, Vitals
from service.telemetry.meter import Meter
from tests.fakes import tiny_bundle

PROMISED = {
    "heed_attention_entropy", "heed_cancelled", "heed_queue_depth", "heed_queue_wait_seconds", "heed_rejected",
    "heed_request_duration_seconds", "heed_requests", "heed_seated_sequences", "heed_step_duration_seconds",
    "heed_step_rows", "heed_time_to_first_token_seconds", "heed_tokens_out", "heed_worker_restarts", "heed_worker_up",
}  # fmt: skip
LABELS = {"route", "model", "pair", "status", "device", "reason", "le"}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory) -> dict[str, Bundle]:
    folder: Path = tmp_path_factory.mktemp("zoo")
    return {"tiny": Bundle(tiny_bundle(folder, "tiny"))}


@pytest.fixture
def meter(bundles) -> Meter:
    tally = Tally()
    for seconds in (0.001, 0.003, 2.0):
        tally.steps.note(seconds)
    tally.tokens = 12
    vitals = Vitals({("tiny", "cpu"): tally.figures(4, 3)}, {"cpu": 2}, {"cpu": 1}, {"tiny": 20})
    return Meter(lambda: vitals, lambda: bundles)


def samples(meter: Meter) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(meter.exposed()[0].decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def test_the_names_are_those_promised_and_no_others(meter) -> None:
    meter.request("/v1/translate", "tiny", 200, 0.1)
    assert {family.name for family in text_string_to_metric_families(meter.exposed()[0].decode())} == PROMISED


def test_labels_are_the_few_that_are_allowed(meter) -> None:
    meter.request("/v1/translate", "tiny", 200, 0.1)
    meter.refused("queue_full")
    meter.answered("tiny", np.eye(3, dtype=np.float32))
    assert {label for _, labels in samples(meter) for label, _ in labels} == LABELS


def test_what_engines_report_is_exposed_with_pair_and_device(meter) -> None:
    found, engine = samples(meter), (("device", "cpu"), ("model", "tiny"), ("pair", "en-de"))
    assert found["heed_step_duration_seconds_count", engine] == 3
    assert found["heed_step_duration_seconds_sum", engine] == pytest.approx(2.004)
    assert found["heed_step_duration_seconds_bucket", (engine[0], ("le", "0.002"), *engine[1:])] == 1
    assert found["heed_step_duration_seconds_bucket", (engine[0], ("le", "+Inf"), *engine[1:])] == 3
    assert found["heed_tokens_out_total", engine] == 12
    assert found["heed_queue_depth", engine] == 4
    assert found["heed_queue_depth", (("device", "-"), *engine[1:])] == 20
    assert found["heed_seated_sequences", engine] == 3
    assert found["heed_worker_up", (("device", "cpu"),)] == 2
    assert found["heed_worker_restarts_total", (("device", "cpu"),)] == 1


def test_two_meters_in_one_process_do_not_meet(meter, bundles) -> None:
    other = Meter(Vitals, lambda: bundles)
    meter.request("/v1/translate", "tiny", 200, 0.1)
    assert not any(name == "heed_requests_total" for name, _ in samples(other))


def test_a_scraper_may_have_openmetrics(meter) -> None:
    meter.request("/v1/translate", "tiny", 200, 0.1)
    body, media = meter.exposed("application/openmetrics-text; version=1.0.0")
    assert media.startswith("application/openmetrics-text")
    assert {family.name for family in openmetrics(body.decode())} == PROMISED
