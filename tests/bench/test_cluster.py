"""The trials on a cluster strike once, in the middle, and count everybody; what they start can be stopped."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bench.chaos.crowd import Asked, Crowd, Fate
from bench.cluster import batched, machines, trials
from bench.cluster.machines import Running, bind, stop
from bench.load.wire import Target
from tests.bench.test_chaos import DONE, saying

pytestmark = pytest.mark.anyio
BARE = {"text": "a", "beam_size": 3, "attention": "none"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("fails", [False, True])
async def test_a_blow_falls_once_at_a_third_and_what_is_lost_after_it_is_counted(fails: bool) -> None:
    asked, struck = [0], list[int]()

    def answer(_: bytes) -> tuple[int, bytes]:
        asked[0] += 1
        return 500 if fails and struck else 200, DONE

    async with saying(answer) as where:
        server: Any = SimpleNamespace(url=f"http://{where.host}:{where.port}")
        given = argparse.Namespace(clients=3, requests=30, beam=None)
        found = await trials.struck(Running(server, []), ["a text"], given, lambda: struck.append(asked[0]))
    assert len(struck) == 1 and 10 <= struck[0] < 30
    assert found["requests"] >= 30
    assert found["lost"] == (found["requests"] - found["answered"]) and bool(found["lost"]) is fails


@pytest.mark.parametrize(("many", "texts"), [(1, ["a", "b", "c"]), (2, ["a\nb"]), (5, ["a\nb\nc"])])
def test_lines_are_joined_to_texts_and_a_short_rest_is_left_out(many: int, texts: list[str]) -> None:
    assert ["\n".join(some) for some in batched(["a", "b", "c"], many)] == texts


def test_a_crowd_asks_what_it_is_told_to() -> None:
    plain = Asked(Target("x", 1, b""), ["a"], 3, streams=False, attention="none")
    asked = [plain.next() for _ in range(8)]
    assert not any(streams for _, streams in asked)
    assert all(json.loads(body.split(b"\r\n")[-1]) == BARE for body, _ in asked)
    usual = Asked(Target("x", 1, b""), ["a"])
    assert [usual.next()[1] for _ in range(4)] == [False, False, False, True]


async def test_answers_that_come_when_clients_leave_already_do_not_count(monkeypatch) -> None:
    now = time.monotonic()
    fates = [Fate(now, now + ended, status) for ended, status in ((1, 200), (2, 200), (3, 429), (1e6, 200))]

    async def load(self: Crowd, seconds: float) -> None:
        self.fates += fates

    monkeypatch.setattr(Crowd, "load", load)
    given = argparse.Namespace(beam=None, streams=True, attention="soft", seconds=100.0)
    rate, _ = await trials.load(SimpleNamespace(url="http://x:1"), ["a"], 1, given)  # type: ignore[arg-type]
    assert rate == 0.02


def test_a_process_is_kept_on_one_core() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        core = min(os.sched_getaffinity(0))
        bind(process.pid, core)
        assert os.sched_getaffinity(process.pid) == {core}
        process.kill()


def test_what_does_not_stop_is_killed_with_its_family(monkeypatch) -> None:
    monkeypatch.setattr(machines, "GRACE", 0.1)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    stop(process)
    process.stdout.close()
    assert process.returncode == -9


def test_every_node_knows_the_same_secret_and_tells_nobody_that_it_runs() -> None:
    one = machines.Machines({"rows": "16"}, haproxy=True).environment
    assert len(one["RAY_AUTH_TOKEN"]) == 64 and one["RAY_AUTH_MODE"] == "token"
    assert (one["RAY_USAGE_STATS_ENABLED"], one["RAY_SERVE_ENABLE_HA_PROXY"], one["HEED_ROWS"]) == ("0", "1", "16")
    assert machines.Machines({}).environment["RAY_AUTH_TOKEN"] != one["RAY_AUTH_TOKEN"]
