"""Server-sent events as a client reads them, by the standard's own grammar."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx

from tests.api.asking import GOOD

EVENTS = "text/event-stream"


class Said(NamedTuple):
    """One event."""

    event: str
    id: int
    data: dict[str, Any]


def events(body: str) -> list[Said]:
    """The events of a whole stream; comments are left out."""
    blocks = [block for block in body.split("\n\n") if block and not block.startswith(":")]
    return [event(block) for block in blocks]


def event(block: str) -> Said:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    assert set(fields) == {"event", "id", "data"}, block
    return Said(fields["event"], int(fields["id"]), json.loads(fields["data"]))


async def streamed(client: httpx.AsyncClient, route: str = "translate", **asked: Any) -> list[Said]:
    """The events of one request, after what holds for every stream was checked."""
    body = {**(GOOD if route == "translate" else {}), "stream": True, **asked}
    answer = await client.post(f"/v1/{route}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"{EVENTS}; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    said = events(answer.text)
    assert [one.id for one in said] == list(range(len(said)))
    return said


def only(said: list[Said], name: str) -> list[dict[str, Any]]:
    """The data of the events of one name."""
    return [one.data for one in said if one.event == name]
