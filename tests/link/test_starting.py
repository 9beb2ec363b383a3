"""What happens when workers cannot start: at first, and later, when there is nobody else."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from bundle.manifest import BadBundle
from bundle.zoo import named
from service.errors import DeadlinePassed, EngineFailed, NotReady
from service.link.process import ProcessLink
from tests.fakes import tiny_bundle
from tests.link import accidents
from tests.link.asking import PATIENCE, REAL, RISKY, environment, guest, soon, started, told, until, worker

pytestmark = pytest.mark.anyio


async def test_a_bundle_that_cannot_be_served_is_named_with_its_file_and_why(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path, "toy-echo")  # its manifest is right, its graphs are none
    link = ProcessLink(named(tmp_path), REAL, engines=2, environment=environment(tmp_path))
    with pytest.raises(BadBundle, match="onnxruntime cannot load it") as broken:
        await asyncio.wait_for(link.start(), PATIENCE)
    assert broken.value.path.parent == bundle
    assert not link.ready()


async def test_a_worker_that_dies_again_and_again_ends_the_start_with_an_error(toys: Path, caplog) -> None:
    doomed = (sys.executable, "-c", "raise SystemExit(7)")
    link = ProcessLink(named(toys), doomed, environment=environment(toys))
    with pytest.raises(EngineFailed, match="died 3 times before it was ready: exit code 7"):
        await asyncio.wait_for(link.start(), PATIENCE)
    assert caplog.text.count("died: exit code 7") == 3
    await link.drain(0)


async def test_a_command_that_is_not_there_ends_the_start_with_an_error(toys: Path) -> None:
    link = ProcessLink(named(toys), ("/no/such/python",), environment=environment(toys))
    with pytest.raises(EngineFailed, match="could not be started"):
        await asyncio.wait_for(link.start(), PATIENCE)


async def test_jobs_wait_for_a_worker_no_longer_than_their_deadline(toys: Path, tmp_path) -> None:
    blocked = tmp_path / "blocked"
    async with started(toys, RISKY, {accidents.BLOCKED: str(blocked)}) as link:
        blocked.write_text("hang")
        worker(link).kill()
        await until(lambda: not link.ready())
        with pytest.raises(DeadlinePassed):
            await told(link, guest(1, deadline=soon(0.2)))
        patient = asyncio.create_task(told(link, guest(2, deadline=soon(PATIENCE))))
        await until(lambda: link.book.homeless)
        blocked.unlink()
        await patient


async def test_when_no_worker_comes_to_life_nobody_is_kept_waiting(toys: Path, tmp_path, caplog) -> None:
    caplog.set_level(logging.ERROR, "heed.link")
    blocked = tmp_path / "blocked"
    async with started(toys, RISKY, {accidents.BLOCKED: str(blocked)}) as link:
        blocked.write_text("exit")
        worker(link).kill()
        await until(lambda: not link.ready())
        with pytest.raises(NotReady):
            await told(link, guest(1))
        with pytest.raises(NotReady):
            await told(link, guest(2))
        blocked.unlink()
        await until(link.ready)
        await told(link, guest(3))


async def test_a_link_that_was_not_started_is_not_ready_and_can_be_drained(toys: Path) -> None:
    link = ProcessLink(named(toys), REAL)
    assert not link.ready()
    with pytest.raises(NotReady):
        await told(link, guest(1))
    await link.drain(0)
