"""What a front knows of its engines: counts that never fall, whoever dies, and how many are up."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from service.engine.catalog import Catalog
from service.link.local import LocalLink
from service.messages import Link
from service.telemetry.figures import HISTOGRAMS, counter, histogram
from tests.link import accidents
from tests.link.asking import RISKY, guest, started, told, until, worker

pytestmark = pytest.mark.anyio
ECHO = ("toy-echo", "cpu")


def tokens(link: Link) -> float:
    figures = link.vitals().figures
    return counter(figures[ECHO].counts, "tokens_out") if ECHO in figures else 0.0


def spoken(*numbers: int) -> int:
    return sum(len(guest(number).inputs["source"]) for number in numbers)


async def test_counts_of_all_workers_are_added_up_and_outlive_them(toys: Path) -> None:
    async with started(toys, engines=2) as link:
        await asyncio.gather(*(told(link, guest(number)) for number in range(6)))
        await until(lambda: tokens(link) == spoken(*range(6)))
        assert link.vitals().up == {"cpu": 2}
        worker(link).kill(signal.SIGKILL)
        await until(lambda: link.vitals().restarts == {"cpu": 1})
        assert tokens(link) == spoken(*range(6))
        await until(lambda: link.vitals().up == {"cpu": 2})
        await asyncio.gather(*(told(link, guest(number)) for number in range(6)))
        await until(lambda: tokens(link) == 2 * spoken(*range(6)))


async def test_every_guest_waits_once_and_has_one_first_token(toys: Path) -> None:
    async with started(toys) as link:
        await asyncio.gather(*(told(link, guest(number)) for number in range(5)))
        await until(lambda: tokens(link) == spoken(*range(5)))
        counts = link.vitals().figures[ECHO].counts
        found = {name: histogram(counts, name)[0].sum() for name in HISTOGRAMS}
        assert found["queue_wait_seconds"] == found["time_to_first_token_seconds"] == 5
        assert found["step_rows"] == found["step_duration_seconds"] >= 20, "one of each a step"


async def test_who_leaves_is_counted_and_levels_tell_who_is_there(toys: Path) -> None:
    async with started(toys, RISKY, {accidents.STEP: "0.05"}) as link:
        asking = asyncio.create_task(told(link, guest(1, 45)))
        await until(lambda: ECHO in link.vitals().figures and link.vitals().figures[ECHO].levels[1] == 1)
        asking.cancel()
        await until(lambda: counter(link.vitals().figures[ECHO].counts, "cancelled") == 1)
        await until(lambda: not link.vitals().figures[ECHO].levels.any())


async def test_without_a_worker_rows_wait_for_any(toys: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    async with started(toys, RISKY, {accidents.BLOCKED: str(blocked)}) as link:
        await until(lambda: ECHO in link.vitals().figures)
        blocked.write_text("hang")
        worker(link).kill(signal.SIGKILL)
        await until(lambda: not link.ready())
        asking = asyncio.create_task(told(link, guest(1)))
        await until(lambda: link.vitals().homeless.get("toy-echo"))
        assert link.vitals().up == {"cpu": 0}
        blocked.unlink()
        await asking
        assert not link.vitals().homeless


async def test_an_engine_in_this_process_counts_the_same(toys: Path) -> None:
    link = LocalLink(lambda: Catalog(toys, names=["toy-echo"], threads=2, precision="fp32", rows=16, queue=100))
    await link.start()
    await told(link, guest(1))
    await until(lambda: tokens(link) == spoken(1))
    assert link.vitals().up == {"cpu": 1}
    await link.drain(5)
    assert link.vitals().up == {"cpu": 0}
    assert tokens(link) == spoken(1)
