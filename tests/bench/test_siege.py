"""The siege: each attack begins, does what it says, and ends; figures come from the probe alone."""

from __future__ import annotations

import asyncio
import multiprocessing

import pytest
from PIL import Image

from bench.load.wire import target
from bench.siege import _figures, bombs
from bench.siege.attacks import ATTACKS, besiege
from bench.siege.probe import Seen, probe
from tests.bench.toys import echoing


def test_the_probe_asks_at_its_rate_and_waits_for_every_answer() -> None:
    with echoing() as url:
        seen = asyncio.run(probe(target(url, "/v1/translate"), 200, 0.3))
    assert len(seen) > 5
    assert {one.status for one in seen} == {200}


def test_the_probe_counts_who_was_not_answered() -> None:
    seen = asyncio.run(probe(target("http://127.0.0.1:1", "/"), 100, 0.1))
    assert seen and {one.status for one in seen} == {0}


def test_figures_compare_with_what_is_usual() -> None:
    told = _figures([Seen(0.1, 200)] * 20, [*[Seen(0.3, 200)] * 19, Seen(1, 0)])
    assert (told["usual_p95_ms"], told["asked"], told["lost"]) == (100.0, 20, 1)
    assert told["ratio"] >= 3


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != "bombs"])
def test_an_attack_begins_and_ends_and_tells_what_it_saw(name) -> None:
    ours, theirs = multiprocessing.Pipe()
    with echoing() as url:
        attacker = multiprocessing.get_context("spawn").Process(
            target=besiege, args=(name, url, 0.5, 0.001, theirs), daemon=True
        )
        attacker.start()
        ours.recv()
        found = ours.recv()
        attacker.join(60)
    assert attacker.exitcode == 0
    assert found["connections"] >= 1


def test_bombs_are_small_and_say_that_they_are_large(monkeypatch) -> None:
    monkeypatch.setattr(bombs, "SIDE", 64)
    bombs.prepare()
    assert len({media for media, _ in bombs.ALL}) >= 5
    bombs.ALL.clear()
    with Image.open(__import__("io").BytesIO(bombs.png(40, 30))) as picture:
        assert picture.size == (40, 30)
