"""The dashboard asks for metrics that exist, of a data source that is provisioned."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT

GRAFANA = ROOT / "docker/grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards/heed.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
COUNTERS = {"requests", "tokens_out", "rejected", "cancelled", "worker_restarts"}
HISTOGRAMS = {"request_duration_seconds", "queue_wait_seconds", "step_duration_seconds", "step_rows"}
HISTOGRAMS |= {"time_to_first_token_seconds", "attention_entropy"}
GAUGES = {"queue_depth", "seated_sequences", "worker_up"}
KNOWN = {f"heed_{name}_total" for name in COUNTERS} | {f"heed_{name}" for name in GAUGES}
KNOWN |= {f"heed_{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "sum", "count")}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_metrics_that_there_are(panel) -> None:
    expressions = [target["expr"] for target in panel["targets"]]
    assert expressions
    for expression in expressions:
        named = set(re.findall(r"heed_\w+", expression))
        assert named and named <= KNOWN, expression
        assert expression.count("(") == expression.count(")")


def test_every_metric_has_a_panel() -> None:
    asked = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    assert not [name for name in COUNTERS | GAUGES | HISTOGRAMS if f"heed_{name}" not in asked]


def test_panels_do_not_lie_on_each_other() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    taken = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(set(taken)) == len(taken) and max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_data_source_of_every_panel_is_provisioned() -> None:
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text("utf-8"))["datasources"]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}


def test_prometheus_scrapes_the_service_by_its_name_in_compose() -> None:
    told = yaml.safe_load((ROOT / "docker/prometheus/prometheus.yaml").read_text("utf-8"))
    [heed] = [job for job in told["scrape_configs"] if job["job_name"] == "heed"]
    assert heed["dns_sd_configs"][0]["names"] == ["heed"]
    assert told["rule_files"] == ["alerts.yaml"]
