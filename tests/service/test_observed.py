"""The whole service watched: its metrics over a worker's death, and every line that any of its processes logs."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.service.test_serve import Server, serving, until

WRITTEN = {"text": "the old house", "model": "toy-echo", "beam_size": 1}
HEADERS = {"Authorization": "Bearer sk-heed-1", "X-Forwarded-For": "10.1.2.3"}


def metric(server: Server, name: str) -> float:
    families = text_string_to_metric_families(server.client.get("/metrics").text)
    return sum(one.value for family in families for one in family.samples if one.name == name)


def test_figures_come_from_workers_and_outlive_them(toys: Path, tmp_path) -> None:
    with serving(toys, tmp_path / "log", HEED_ENGINES="1") as server:
        assert server.answers()
        until(lambda: metric(server, "heed_tokens_out_total") > 0)
        before = {name: metric(server, name) for name in ("heed_tokens_out_total", "heed_step_rows_count")}
        os.kill(server.workers()[0], signal.SIGKILL)
        until(lambda: metric(server, "heed_worker_restarts_total") == 1)
        assert server.answers()
        until(lambda: metric(server, "heed_tokens_out_total") == 2 * before["heed_tokens_out_total"])
        assert metric(server, "heed_step_rows_count") == 2 * before["heed_step_rows_count"]
        assert metric(server, "heed_worker_up") == 1
        assert server.client.get("/v1/models/toy-echo").json()["statistics"]["step_duration"]["p50"] > 0


def test_every_line_of_every_process_is_json_and_quotes_nobody(toys: Path, tmp_path) -> None:
    with serving(toys, tmp_path / "log", HEED_ENGINES="1", HEED_LOG_FORMAT="json", HEED_LOG_LEVEL="debug") as server:
        (worker,) = server.workers()
        for stream in (False, True):
            server.client.post("/v1/translate", json={**WRITTEN, "stream": stream}, headers=HEADERS)
        server.client.get("/the/old/house?text=old+house", headers=HEADERS)
        os.kill(worker, signal.SIGKILL)
        assert server.answers()
        server.process.terminate()
        server.process.wait()
    written = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in written.splitlines()]
    assert {"heed.link", "heed.access", "uvicorn.error"} <= {line["logger"] for line in lines}
    assert [line["route"] for line in lines if line["logger"] == "heed.access" and line["status"] == 404] == ["-"]
    for word in ("house", "sk-heed", "10.1.2.3"):
        assert word not in written
