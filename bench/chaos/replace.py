"""A model is replaced by another version of it while everybody asks: who was lost, and which version answered when.

Knows nothing of how the service does it: the admin listener is asked, as an operator would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import time
import urllib.request
from pathlib import Path

from bench.chaos.crowd import Asked, Crowd
from bench.load.points import percentile
from bench.server import Server
from bundle.manifest import Bundle

OLD, NEW = "1", "2"
PORT = "HEED_ADMIN_PORT"


def staged(bundle: Path, folder: Path) -> Path:
    """A zoo with a bundle in two versions, alike but for the name: any difference is the replacement's."""
    shutil.rmtree(folder, ignore_errors=True)
    for version in (OLD, NEW):
        shutil.copytree(bundle, folder / version)
        manifest = folder / version / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text("utf-8")) | {"version": version}), "utf-8")
    return folder


async def replace(server: Server, asked: Asked, given: argparse.Namespace) -> dict[str, float]:
    """Half of the requests, the replacement, and the other half; nobody stops asking meanwhile."""
    crowd = Crowd(asked, given.clients)
    loading = asyncio.create_task(crowd.load(3600))
    await _fates(crowd, given.requests // 2)
    name = Bundle(given.bundle).manifest.name
    called = time.monotonic()
    await asyncio.to_thread(_load, server.environment[PORT], name)
    returned = time.monotonic()
    await _fates(crowd, max(given.requests, len(crowd.fates) + given.requests // 4))
    crowd.leaving = True
    await loading
    return crowd.summary() | {"replaced_s": round(returned - called, 2), **switched(crowd, name, called, returned)}


def switched(crowd: Crowd, name: str, called: float, returned: float) -> dict[str, float]:
    """How many each version answered, out of turn or both at once too, and how slow it was meanwhile."""
    old, new = f"{name}@{OLD}", f"{name}@{NEW}"
    fine = [one for one in crowd.fates if one.status == 200]
    during = [1e3 * (one.ended - one.sent) for one in fine if one.ended > called and one.sent < returned]
    others = [1e3 * (one.ended - one.sent) for one in fine if one.ended <= called or one.sent >= returned]
    return {
        "old": sum(one.models == {old} for one in fine),
        "new": sum(one.models == {new} for one in fine),
        "mixed": sum(one.models not in ({old}, {new}) for one in fine),
        "too_early": sum(new in one.models and one.ended < called for one in fine),
        "stale": sum(old in one.models and one.sent > returned for one in fine),
        "during": len(during),
        "p95_during_ms": round(percentile(during, 0.95), 1),
        "p95_ms": round(percentile(others, 0.95), 1),
    }


async def _fates(crowd: Crowd, many: int) -> None:
    while len(crowd.fates) < many:  # noqa: ASYNC110  the crowd sets no event
        await asyncio.sleep(0.005)


def _load(port: str, name: str) -> None:
    body = json.dumps({"model": f"{name}@{NEW}", "replace": True}).encode()
    url = f"http://127.0.0.1:{port}/v1/admin/models/load"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
        answer.read()
