"""Alerts ask for metrics that exist, each has a page in the runbook and a test of its own."""

from __future__ import annotations

import re

from tests.house.tree import ROOT
from tests.telemetry.test_meter import LABELS, PROMISED

RULES = (ROOT / "docker/prometheus/alerts.yaml").read_text("utf-8")
TESTS = (ROOT / "docker/prometheus/alerts_test.yaml").read_text("utf-8")
RUNBOOK = (ROOT / "docs/operations.md").read_text("utf-8")
NAMES = re.findall(r"- alert: (\w+)", RULES)
ENDS = r"_(total|bucket|sum|count)$"


def test_every_alert_asks_for_metrics_that_there_are() -> None:
    asked = {re.sub(ENDS, "", name) for name in re.findall(r"heed_\w+", RULES)}
    assert asked <= PROMISED
    by = {label for labels in re.findall(r"by \(([^)]*)\)", RULES) for label in labels.split(", ")}
    assert by <= LABELS | {"instance"}


def test_every_alert_has_its_page_in_the_runbook_and_leads_there() -> None:
    assert re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE) == NAMES
    assert re.findall(r"runbook_url: docs/operations\.md#(\w+)", RULES) == [name.lower() for name in NAMES]


def test_every_alert_has_been_made_to_fire() -> None:
    fired = {name for name, expected in re.findall(r"alertname: (\w+)\s+eval_time: \w+\s+exp_alerts:\s+- (exp)", TESTS)}
    assert fired == set(NAMES)


def test_the_runbook_tells_of_every_metric() -> None:
    table = {re.sub(ENDS, "", name) for name in re.findall(r"`(heed_\w+)`", RUNBOOK)}
    assert table >= PROMISED
