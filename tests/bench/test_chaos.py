"""The trials count what they say they count, and one of them runs to its end. No figure of speed is asserted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench import chaos
from bench.__main__ import main
from bench.chaos.crowd import Asked, Crowd, Fate, once
from bench.chaos.replace import switched
from bench.chaos.trials import TRIALS
from bench.load.wire import Connection, Target, target

DONE = b"event: done\r\ndata: {}\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def saying(answer: Callable[[bytes], tuple[int, bytes]]) -> AsyncIterator[Target]:
    """A server with one way to answer; status 0 hangs up."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        status, body = answer(await reader.readexactly(length))
        if status:
            writer.write(
                b"HTTP/1.1 %d x\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (status, len(body)) + body
            )
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/v1/translate")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "body", "streams", "fate"),
    [
        (200, b"{}", False, 200),
        (429, b"", False, 429),
        (500, b"", False, 500),
        (0, b"", False, 0),
        (200, DONE, True, 200),
        (200, b"event: error\r\n\r\n", True, 0),
    ],
)
async def test_every_request_has_its_fate(status, body, streams, fate) -> None:
    async with saying(lambda _: (status, body)) as where:
        found = await once(Connection(where), where.request(b"{}"), streams)
    assert found.status == fate
    assert found.lost == (fate in (0, 500)), "a refusal is no loss"


@pytest.mark.anyio
async def test_a_crowd_asks_in_turn_and_counts() -> None:
    heard: list[dict[str, str]] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        heard.append(json.loads(body))
        return (200, DONE) if len(heard) % 5 else (503, b"")

    async with saying(answer) as where:
        crowd = Crowd(Asked(where, ["one", "two", "three"]), clients=2)
        await crowd.load(0.3)
    told = crowd.summary()
    assert told["requests"] == len(heard) == told["answered"] + told["refused"]
    assert told["lost"] == 0 and told["refused"] == len(heard) // 5
    assert {one["text"] for one in heard} == {"one", "two", "three"}
    assert len(heard) // 4 - 1 <= sum("stream" in one for one in heard) <= len(heard) // 4 + 1


def test_lost_is_what_was_accepted_and_not_answered() -> None:
    assert [Fate(0, 1, status).lost for status in (200, 429, 503, 504, 500, 0)] == [False] * 3 + [True] * 3


@pytest.mark.parametrize(
    ("trial", "more", "proof"),
    [
        ("kill", ["--seconds", "3", "--every", "1"], "killed"),
        ("term", ["--seconds", "1"], "in_flight"),
        ("replace", ["--requests", "60"], "new"),
    ],
)
def test_a_trial_runs_to_its_end(toys: Path, tmp_path, monkeypatch, capsys, trial, more, proof) -> None:
    monkeypatch.setattr(chaos, "LOG", tmp_path / "chaos.log")
    status = main(["chaos", trial, str(toys / "toy-echo"), "--clients", "3", *more])
    *table, line = capsys.readouterr().out.strip().splitlines()
    told = json.loads(line)
    assert told["trial"] == trial
    assert told[proof] > 0 and told["answered"] > 0
    assert (status, told["lost"]) == (0, 0), (tmp_path / "chaos.log").read_text()[-3000:]
    assert any(one.split() == ["lost", "0"] for one in table)


def test_a_version_out_of_turn_or_two_in_one_answer_are_counted() -> None:
    crowd = Crowd(Asked(Target("x", 1, b""), ["a"]), clients=1)
    old, new = {"m@1"}, {"m@2"}
    told = [(1, old), (1, new), (3, old), (3, new), (5, new), (5, old), (5, old | new), (5, set[str]())]
    crowd.fates = [Fate(at, at + 0.5, 200, frozenset(models)) for at, models in told]
    found = switched(crowd, "m", called=2, returned=4)
    counts = {"old": 3, "new": 3, "mixed": 2, "too_early": 1, "stale": 2, "during": 2}
    assert {name: found[name] for name in counts} == counts


def test_every_trial_says_what_it_is() -> None:
    assert list(TRIALS) == ["kill", "term", "vanish", "soak", "replace", "overload"]
    assert all(trial.what and trial.run.__doc__ for trial in TRIALS.values())
