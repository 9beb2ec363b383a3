"""A whole session, errors and all, after which no key, no text and no address stands in any log or metric."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.api.asking import picture
from tests.service.test_serve import serving, until

TEXT = "swordfish"  # in every text, name of a field, path, query and header that is sent
SOURCE = "127.0.0.42"  # where requests come from
TELLING = re.compile(r"heed_[0-9a-f]{12}_|Traceback")
ELSEWHERE = "198.51.100.7"  # said by X-Forwarded-For


def made(path: Path, *words: str) -> str:
    """A key, as it was printed."""
    told = subprocess.run(
        [sys.executable, "-m", "service", "keys", "add", TEXT, *words],
        env={**os.environ, "HEED_KEYS_FILE": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()


def converse(client: httpx.Client, key: str, wrong: str) -> None:
    """Everything that may be asked, well and badly."""
    good, bad = {"x-api-key": key}, {"authorization": f"Bearer {wrong}"}
    one = {"text": f"the old {TEXT} house", "model": "toy-echo"}
    for accept in ("application/json", "text/plain", "image/svg+xml", "text/event-stream", "nonsense/" + TEXT):
        client.post("/v1/translate", json=one, headers={**good, "accept": accept})
    client.post("/v1/translate", json={**one, "prefix": f"a {TEXT}"}, headers=good)
    client.post("/v1/translate", json={**one, "text": TEXT * 5000}, headers=good)
    client.post("/v1/translate", json={**one, TEXT: TEXT}, headers=good)
    client.post("/v1/translate", json={**one, "model": TEXT}, headers=good)
    client.post("/v1/translate", content=f'{{"text": "{TEXT}', headers=good)
    client.post(f"/v1/translate?{TEXT}={key}", json=one, headers=good)
    client.post("/v1/translate", json=one, headers=bad)
    client.post("/v1/translate", json=one)
    client.post("/v1/caption", content=TEXT.encode(), headers={**good, "content-type": "image/png"})
    client.post("/v1/caption", json={"image_url": f"https://{TEXT}.example/{key}"}, headers=good)
    client.post("/v1/caption", files={TEXT: (TEXT, picture())}, data={TEXT: TEXT}, headers=good)
    for path in (f"/{TEXT}", f"/{key}", f"/v1/models/{TEXT}", f"/v1/models/{key}", "/v1/models", "/metrics", "/health"):
        client.get(path, headers={**good, "cookie": TEXT, "user-agent": TEXT, "x-forwarded-for": ELSEWHERE})
    client.request("DELETE", f"/v1/{TEXT}", headers=good)
    for _ in range(30):
        client.post("/v1/translate", json=one, headers=good)  # the limit is reached


def blurt(port: int, *words: str) -> None:
    """What is hardly HTTP."""
    for said in (f"{words[0]}\r\n\r\n", f"GET /{words[1]} HTTP/9\r\n\r\n", "GET / HTTP/1.1\r\nupgrade: websocket\r\n"):
        with socket.create_connection(("127.0.0.1", port), source_address=(SOURCE, 0)) as line:
            line.sendall(f"{said}connection: upgrade\r\n{words[0]}: {words[1]}\r\n\r\n".encode())
            line.settimeout(20)
            try:
                line.recv(4096)
            except ConnectionResetError:
                continue


def test_after_a_whole_session_no_log_and_no_metric_tells_who_asked_or_what(toys: Path, tmp_path) -> None:
    keys = tmp_path / "keys.json"
    key, other = made(keys, "--requests", "40/day"), made(keys, "--scope", "admin")
    variables = {"HEED_KEYS_FILE": str(keys), "HEED_KEYS_REQUIRED": "1", "HEED_ENGINES": "1"}
    with serving(toys, tmp_path / "log", **variables) as server:
        port = server.client.base_url.port
        assert port is not None
        wire = httpx.HTTPTransport(local_address=SOURCE)
        with httpx.Client(transport=wire, base_url=server.client.base_url, timeout=60) as client:
            answered = client.post("/v1/translate", json={"text": TEXT}, headers={"x-api-key": key})
            assert TEXT in json.dumps(answered.json()), "they may read what they wrote, nobody else"
            converse(client, key, other)
            assert client.get("/v1/models", headers={"x-api-key": key}).status_code == 429
        blurt(port, TEXT, key)
        worker = server.workers()[0]
        os.kill(worker, 9)
        until(lambda: server.workers() and server.workers()[0] != worker and server.ready())
        metrics = server.client.get("/metrics", headers={"x-api-key": made(keys)})
        server.process.terminate()
        server.process.wait(60)
    logged = (tmp_path / "log").read_text()
    assert "/v1/translate" in logged, "a log that says nothing proves nothing"
    for told in (logged, metrics.text if metrics.status_code == 200 else ""):
        for secret in (TEXT, key, key[-43:], other, other[-43:], SOURCE, ELSEWHERE, "127.0.0."):
            line = next((line for line in told.splitlines() if secret in line and "running on" not in line), None)
            assert line is None, line
        assert not TELLING.search(told)
