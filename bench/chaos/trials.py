"""The trials themselves: each takes a running server and who asks it, strikes, and says what it found.

Knows nothing of how the server is started, or of tables.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.chaos.crowd import REFUSED, Asked, Crowd, once
from bench.chaos.replace import replace
from bench.load.drive import send
from bench.load.points import percentile
from bench.load.schedule import poisson
from bench.load.wire import Connection
from bench.server import Server, family

Found = dict[str, float]
SETTLED = 0.3  # seconds after a blow in which an answer may still be one of before
WARM = 3.0  # seconds of load before anything is counted or struck
CROWDED = 1000  # connections of the open loop: beyond, a request waits on our side


class Trial(NamedTuple):
    """One kind of blow."""

    what: str
    run: Callable[[Server, Asked, argparse.Namespace], Coroutine[Any, Any, Found]]


async def kill(server: Server, asked: Asked, given: argparse.Namespace) -> Found:
    """A worker gets SIGKILL again and again, under load; never before somebody was answered after the last blow."""
    crowd, struck = Crowd(asked, given.clients), list[float]()
    loading = asyncio.create_task(crowd.load(given.seconds))
    while not (await asyncio.wait({loading}, timeout=given.every))[0]:
        victims = workers(server)
        if victims and (not struck or crowd.answered_since(struck[-1] + SETTLED)):
            os.kill(random.choice(victims), signal.SIGKILL)  # noqa: S311  nothing secret
            struck.append(time.monotonic())
    await loading
    return {"killed": len(struck), **crowd.summary()}


async def term(server: Server, asked: Asked, given: argparse.Namespace) -> Found:
    """The whole service gets SIGTERM under load: whoever asked before is answered, whoever asks later need not be."""
    crowd = Crowd(asked, given.clients)
    loading = asyncio.create_task(crowd.load(3600))
    await asyncio.sleep(min(given.seconds, 10))
    process, orphans, struck = main(server), workers(server), time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.wait)
    ended = time.monotonic()
    crowd.leaving = True
    await loading
    later = [one for one in crowd.fates if one.sent >= struck]
    crowd.fates = [one for one in crowd.fates if one.sent < struck]
    in_flight = sum(one.ended > struck for one in crowd.fates)
    found = crowd.summary() | {"in_flight": in_flight, "too_late": len(later), "exit_s": round(ended - struck, 2)}
    return found | {"left_over": len(living(orphans))}


async def vanish(server: Server, asked: Asked, given: argparse.Namespace) -> Found:
    """Clients leave in the middle of their request or answer; then somebody asks who stays."""
    before, light = await prompt(asked), weight(server)
    places = asyncio.Semaphore(given.clients)

    async def guest(number: int) -> None:
        async with places:
            await leave_early(asked, number)

    await asyncio.gather(*(guest(number) for number in range(given.guests)))
    after = await prompt(asked)
    heavy = weight(server)
    return {
        "guests": given.guests,
        "before_ms": before["ms"],
        "after_ms": after["ms"],
        "lost": int(after["status"] != 200),
        "files_before": light["files"],
        "files_after": heavy["files"],
    }


async def soak(server: Server, asked: Asked, given: argparse.Namespace) -> Found:
    """Load for long: memory, threads and open files of all processes together, after warming up and in the end."""
    await Crowd(asked, given.clients).load(max(WARM, min(30, given.seconds / 4)))
    first = weight(server)
    crowd = Crowd(asked, given.clients)
    await crowd.load(given.seconds)
    last = weight(server)
    grown = {f"{name}_{when}": one[name] for name in first for when, one in (("start", first), ("end", last))}
    return crowd.summary() | grown


async def overload(server: Server, asked: Asked, given: argparse.Namespace) -> Found:
    """Ten times as many requests as are answered when all clients ask without a pause."""
    await Crowd(asked, given.clients).load(WARM)
    calm = Crowd(asked, given.clients)
    began = time.monotonic()
    await calm.load(given.seconds / 2)
    capacity = len(calm.fates) / (time.monotonic() - began)
    light = weight(server)["memory_mb"]
    at = poisson(10 * capacity, given.seconds, 1, seed=1).at
    lines = [Connection(asked.where) for _ in range(CROWDED)]
    samples = await send(lines, [asked.plain[i % len(asked.plain)] for i in range(len(at))], at, 60)
    heavy = weight(server)["memory_mb"]
    for line in lines:
        line.close()
    refused = [1e3 * (one.ended - one.sent) for one in samples if one.status in REFUSED]
    accepted = [1e3 * (one.ended - one.sent) for one in samples if one.status == 200]
    return {
        "capacity": round(capacity, 1),
        "offered": round(len(samples) / max(one.ended for one in samples), 1),
        "answered": len(accepted),
        "refused": len(refused),
        "lost": len(samples) - len(accepted) - len(refused),
        "refusal_p50_ms": round(percentile(refused, 0.5), 1),
        "p95_ms": round(percentile(accepted, 0.95), 1),
        "p95_at_capacity_ms": round(percentile([1e3 * (one.ended - one.sent) for one in calm.fates], 0.95), 1),
        "memory_before_mb": light,
        "memory_after_mb": heavy,
    }


async def leave_early(asked: Asked, number: int) -> None:
    """Send a part, or everything and read a part, or stream and read a part; then hang up without a word."""
    host, port, _ = asked.where
    request = (asked.streams if number % 3 == 2 else asked.plain)[number % len(asked.plain)]
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request[: len(request) // 2] if number % 3 == 0 else request)
        await writer.drain()
        await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311  nothing secret
        if number % 3 == 2:
            await reader.read(200)
        writer.transport.abort()
    except OSError:
        return  # the server hung up first


async def prompt(asked: Asked) -> Found:
    """The status and the time of one plain request."""
    line = Connection(asked.where)
    fate = await once(line, asked.plain[0], False)
    line.close()
    return {"status": fate.status, "ms": round(1e3 * (fate.ended - fate.sent), 1)}


def main(server: Server) -> subprocess.Popen[bytes]:
    """The front's process."""
    if server.process is None:
        raise RuntimeError("the server does not run")
    return server.process


def workers(server: Server) -> list[int]:
    """Processes that the front has started."""
    front = main(server).pid
    return sorted(family(front) - {front})


def living(pids: Sequence[int]) -> list[int]:
    """Those that still run."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def weight(server: Server) -> Found:
    """Memory, threads and open files now, over all processes."""
    found = {"memory_mb": 0.0, "threads": 0, "files": 0, "processes": 0}
    for pid in family(main(server).pid):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        found["memory_mb"] = round(found["memory_mb"] + int(status["VmRSS"].split()[0]) / 1024, 1)
        found["threads"] += int(status["Threads"])
        found["files"] += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        found["processes"] += 1
    return found


TRIALS = {
    "kill": Trial("SIGKILL for a worker every few seconds", kill),
    "term": Trial("SIGTERM for the whole service", term),
    "vanish": Trial("clients that leave in the middle", vanish),
    "soak": Trial("load for long: does anything grow?", soak),
    "replace": Trial("a model is replaced by another version", replace),
    "overload": Trial("ten times what can be answered", overload),
}
