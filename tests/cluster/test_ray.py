"""A cluster of three machines: what it answers, what it refuses, and what becomes of requests when parts of it die.

The engine is real and the bundle echoes, so that a mix-up between guests shows. No time is asserted anywhere.
"""

from __future__ import annotations

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.server import family
from service.api.app import create_app
from service.engine.catalog import Catalog
from service.link.local import LocalLink
from tests.cluster.conftest import Town, until

WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "the",
    "lazy",
    "dog",
    "a",
    "small",
    "house",
    "stands",
    "near",
    "the",
    "old",
    "river",
]


def text(number: int) -> str:
    """Some words, others for each number."""
    return " ".join(WORDS[(number * 7 + i) % len(WORDS)] for i in range(3 + number % 3))


def answered(response: httpx.Response, number: int) -> bool:
    """Whether it is the answer to this number and nobody else's."""
    assert response.status_code == 200, response.text
    return bool(response.json()["results"][0]["text"] == text(number))


async def local_answers(toys: Path, asked: list[dict[str, Any]]) -> list[Any]:
    """What the same application says on a link of this process."""
    link = LocalLink(lambda: Catalog(toys, names=["toy-echo"], threads=2, precision="fp32", rows=16, queue=64))
    await link.start()
    try:
        transport = httpx.ASGITransport(create_app(link))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as alone:
            return [(await alone.post("/v1/translate", json=one)).json() for one in asked]
    finally:
        await link.drain(0)


@pytest.mark.slow
def test_streams_and_answers_of_a_cluster_are_those_of_one_process(town: Town, toys: Path) -> None:
    asked: list[dict[str, Any]] = [
        {"text": text(i), "model": "toy-echo", "beam_size": 2 + i % 3, "n_best": 1 + i % 2} for i in range(6)
    ]
    for one, here in zip(asked, asyncio.run(local_answers(toys, asked)), strict=True):
        assert town.client.post("/v1/translate", json=one).json()["results"] == here["results"]
    events = town.stream(text(1), beam_size=1)
    assert [kind for kind, _ in events][:2] == ["start", "token"] and events[-1][0] == "done"
    assert len(events) > 4, "told token by token"


@pytest.mark.slow
def test_who_leaves_frees_the_place(town: Town) -> None:
    before = town.steps()
    long = {"text": " ".join(WORDS[:9]), "model": "toy-echo", "stream": True, "beam_size": 16, "max_length": 256}
    with town.client.stream("POST", "/v1/translate", json=long) as answer:
        next(answer.iter_lines())
    assert answered(town.ask(text(1), beam_size=1), 1)
    first = town.steps()
    assert answered(town.ask(text(2), beam_size=1), 2)
    assert town.steps() - before < 60 and town.steps() - first < 40, "the first was not computed to its end"


@pytest.mark.slow
def test_more_than_can_wait_is_refused_with_a_problem_that_says_when_to_come_again(town: Town) -> None:
    with ThreadPoolExecutor(60) as many:
        ends = list(many.map(lambda i: town.ask(text(i), beam_size=16), range(60)))
    refused = [end for end in ends if end.status_code == 429]
    assert 0 < len(refused) < 60
    assert all(end.json()["code"] == "queue_full" and int(end.headers["Retry-After"]) >= 1 for end in refused)
    assert all(end.status_code == 200 for end in ends if end not in refused)


@pytest.mark.slow
def test_kill_9_for_an_engine_under_load_loses_nothing_and_streams_go_on(town: Town, crowd: ThreadPoolExecutor) -> None:
    until(lambda: len(town.engines()) == 2)
    plain = [crowd.submit(town.ask, text(i), beam_size=1 + i % 2) for i in range(6)]
    streams = [crowd.submit(town.stream, text(i), beam_size=1) for i in range(10)]
    before = town.steps()
    until(lambda: town.steps() > before + 4)
    victim = min(town.engines())
    os.kill(victim, signal.SIGKILL)
    plain += [crowd.submit(town.ask, text(i), beam_size=1 + i % 2) for i in range(6, 60)]
    assert all(answered(one.result(), i) for i, one in enumerate(plain))
    for i, one in enumerate(streams):
        events = one.result()
        assert events[-1][0] == "done", events[-1]
        places = [event["index"] for kind, event in events if kind == "token"]
        assert places and places == list(range(len(places))), "nothing is told twice, and nothing left out"
        assert events[-1][1]["text"] == text(i)
    until(lambda: len(town.engines()) == 2)
    assert victim not in town.engines()


@pytest.mark.slow
def test_readiness_tells_the_truth_while_no_engine_lives_and_requests_wait_for_the_next(
    town: Town, crowd: ThreadPoolExecutor
) -> None:
    until(lambda: len(town.engines()) == 2)
    for pid in town.engines():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not town.ready())
    assert town.client.get("/health/ready").json()["code"] == "model_not_ready"
    waiting = [crowd.submit(town.ask, text(i), beam_size=1) for i in range(4)]
    assert all(answered(one.result(), i) for i, one in enumerate(waiting))
    until(town.ready)


@pytest.mark.slow
def test_a_machine_that_goes_under_load_loses_nothing(town: Town, crowd: ThreadPoolExecutor) -> None:
    until(lambda: len(set(town.engines().values())) == 2)
    waiting = [crowd.submit(town.ask, text(i), beam_size=1 + i % 2) for i in range(60)]
    before = town.steps()
    until(lambda: town.steps() > before + 4)
    for pid in sorted(family(town.raylets[0])):  # the raylet was there first
        os.kill(pid, signal.SIGKILL)
    assert all(answered(one.result(), i) for i, one in enumerate(waiting))
    assert town.ready()
    until(lambda: set(town.engines().values()) == {town.raylets[1]})
