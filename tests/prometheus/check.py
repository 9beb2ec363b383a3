"""python -m tests.prometheus.check: a real Prometheus scrapes the real service; an alert fires when workers are killed.

Knows nothing of a test framework; `.ci/run` calls it. Prometheus is the one on the PATH, or Debian's package, unpacked
into a temporary folder. Where neither can be had it says SKIPPED, loudly, and ends with 0.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docker/prometheus"
PATIENCE = 60.0  # seconds until a wait gives up
ASKED = {"text": "A small dog runs across the grass.", "model": "en-de-bahdanau"}
REQUESTS = 20
ALERT = "HeedNoWorker"


def main() -> int:
    """Check the rules, then watch a service with them; 1 if anything is not as it should be."""
    with tempfile.TemporaryDirectory(prefix="heed-prometheus-") as folder, ExitStack() as stack:
        tools = found(Path(folder))
        if tools is None:
            print("SKIPPED: no prometheus on the PATH, and Debian's package cannot be had here", file=sys.stderr)
            return 0
        subprocess.run([tools / "promtool", "check", "rules", RULES / "alerts.yaml"], check=True)
        subprocess.run([tools / "promtool", "test", "rules", RULES / "alerts_test.yaml"], check=True)
        front, service = serve(stack, Path(folder))
        linted = subprocess.run([tools / "promtool", "check", "metrics"], input=get(f"{service}/metrics"), check=False)
        watched = watch(stack, Path(folder), tools / "prometheus", service)
        counts(watched, service)
        fires(watched, front)
        if linted.returncode:
            raise SystemExit("promtool finds fault with /metrics")
    print(f"prometheus: rules hold, {REQUESTS} requests counted, {ALERT} fired and was resolved")
    return 0


def found(folder: Path) -> Path | None:
    """The folder of prometheus and promtool."""
    if shutil.which("prometheus") and (there := shutil.which("promtool")):
        return Path(there).parent
    if os.geteuid() or not shutil.which("apt-get"):
        return None
    package = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "prometheus"]
    fetched = ran(package, folder) or (ran(["apt-get", "-qq", "update"], folder) and ran(package, folder))
    if not fetched or not ran(["dpkg-deb", "-x", *map(str, folder.glob("prometheus_*.deb")), "."], folder):
        return None
    return folder / "usr/bin"


def ran(command: list[str], folder: Path) -> bool:
    """Whether a command ended well, within its time."""
    try:
        return subprocess.run(command, cwd=folder, timeout=PATIENCE, capture_output=True).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def serve(stack: ExitStack, folder: Path) -> tuple[int, str]:
    """The service with one worker; its process and its address."""
    port = free()
    settings = {"HEED_PORT": str(port), "HEED_MODELS": ASKED["model"], "HEED_ENGINES": "1", "HEED_LOG_FORMAT": "json"}
    front = started(stack, [sys.executable, "-m", "service", "serve"], folder / "service.log", settings)
    address = f"http://127.0.0.1:{port}"
    until(lambda: get(f"{address}/health/ready"), "the service is ready", folder / "service.log")
    return front, address


def watch(stack: ExitStack, folder: Path, prometheus: Path, service: str) -> str:
    """A Prometheus with our rules that looks every half second and does not wait before it fires; its address."""
    port, rules = free(), folder / "alerts.yaml"
    lines = (RULES / "alerts.yaml").read_text().splitlines()
    rules.write_text("\n".join("        for: 1s" if line.strip().startswith("for:") else line for line in lines))
    (folder / "prometheus.yaml").write_text(
        "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\n"
        f"rule_files: [{rules}]\n"
        f"scrape_configs: [{{job_name: heed, static_configs: [{{targets: ['{service.removeprefix('http://')}']}}]}}]\n"
    )
    options = [f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}"]
    options += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    started(stack, [str(prometheus), *options], folder / "prometheus.log", {})
    address = f"http://127.0.0.1:{port}"
    until(lambda: asked(address, 'up{job="heed"} == 1'), "the service is scraped", folder / "prometheus.log")
    return address


def counts(watched: str, service: str) -> None:
    """What Prometheus counted is what was asked, and every metric that is promised is there."""
    for _ in range(REQUESTS):
        httpx.post(f"{service}/v1/translate", json=ASKED, timeout=PATIENCE).raise_for_status()
    wanted = 'heed_requests_total{route="/v1/translate", status="200", model="en-de-bahdanau", pair="en-de"}'
    until(lambda: asked(watched, f"{wanted} == {REQUESTS}"), f"{REQUESTS} requests are counted")
    for name in (
        "request_duration_seconds_count", "queue_wait_seconds_count", "step_duration_seconds_count", "step_rows_count",
        "time_to_first_token_seconds_count", "attention_entropy_count", "queue_depth", "seated_sequences",
        "tokens_out_total", "cancelled_total", "worker_up", "worker_restarts_total",
    ):  # fmt: skip
        until(lambda name=name: asked(watched, f"heed_{name}"), f"heed_{name} is there")  # type: ignore[misc]
    jobs = 'heed_time_to_first_token_seconds_count{model="en-de-bahdanau"}'
    until(lambda: asked(watched, f"{jobs} == {REQUESTS}"), "each has one first token, counted in the worker")


def fires(watched: str, front: int) -> None:
    """Kill every worker that comes until the alert fires; let them live until it is resolved."""

    def kill() -> bool:
        for worker in Path(f"/proc/{front}/task/{front}/children").read_text().split():
            os.kill(int(worker), signal.SIGKILL)
        return firing(watched)

    until(kill, f"{ALERT} fires")
    until(lambda: not firing(watched), f"{ALERT} is resolved")
    until(lambda: asked(watched, "heed_worker_restarts_total > 0"), "the restarts are counted")


def firing(watched: str) -> bool:
    """Whether the alert fires now."""
    alerts = json.loads(get(f"{watched}/api/v1/alerts") or b"{}")["data"]["alerts"]
    return any(one["labels"]["alertname"] == ALERT and one["state"] == "firing" for one in alerts)


def asked(watched: str, query: str) -> list[Any]:
    """What a query finds now."""
    answer = get(f"{watched}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
    return list(json.loads(answer)["data"]["result"]) if answer else []


def get(address: str) -> bytes:
    """What is there, nothing if nobody answers."""
    try:
        answer = httpx.get(address, timeout=10)
    except httpx.TransportError:
        return b""
    return answer.content if answer.is_success else b""


def started(stack: ExitStack, command: list[str], log: Path, settings: dict[str, str]) -> int:
    """A process in a session of its own, which is ended with everything it started; its number."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("HEED_")}
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=ROOT, env=bare | settings, stderr=written, stdout=written)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process.pid


def until(condition: Callable[[], Any], what: str, log: Path | None = None) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"it never came to be that {what}\n{log.read_text()[-2000:] if log else ''}")
        time.sleep(0.2)


def free() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
