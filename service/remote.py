"""The models of a running service, listed and changed from the command line: its admin listener is asked.

Knows nothing of engines or of how a change is made. A key, where one is asked for, comes from the variable HEED_KEY:
an argument would be seen by whoever lists processes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any

REFUSED, UNREACHED = 2, 1  # exit status
PATIENCE = 600.0  # seconds: a change waits for engines to load and for requests to end
KEY = "HEED_KEY"


def ask(asked: argparse.Namespace) -> int:
    """One change, or none; prints the models afterwards; the exit status."""
    switches = {name: True for name in ("default", "replace", "first") if getattr(asked, name, False)}
    body = None if asked.action == "list" else json.dumps({"model": asked.model, **switches}).encode()
    path = "/v1/admin/models" + ("" if body is None else f"/{asked.action}")
    request = urllib.request.Request(asked.url.rstrip("/") + path, body, {"Content-Type": "application/json"})  # noqa: S310
    if key := os.environ.get(KEY):
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310  the user's own address
            print(table(json.load(answer)["models"]))
    except urllib.error.HTTPError as refused:
        print(f"heed: {_why(refused)}", file=sys.stderr)
        return REFUSED
    except (urllib.error.URLError, TimeoutError) as nobody:
        print(f"heed: nobody answers at {asked.url}: {getattr(nobody, 'reason', nobody)}", file=sys.stderr)
        return UNREACHED
    return 0


def table(models: list[dict[str, Any]]) -> str:
    """A line a model."""
    width = max((len(one["id"]) for one in models), default=0)
    return "\n".join(_line(one, width).rstrip() for one in models)


def _line(one: dict[str, Any], width: int) -> str:
    return f"{one['id']:<{width}}  {one['state']:<9}  {_size(one['bytes']):>9}  {'default' if one['default'] else ''}"


def _size(size: int | None) -> str:
    return "" if size is None else f"{size / 2**20:.1f} MiB"


def _why(refused: urllib.error.HTTPError) -> str:
    """The problem in an answer, in a line."""
    try:
        problem = json.load(refused)
        return f"{problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"status {refused.code}"
