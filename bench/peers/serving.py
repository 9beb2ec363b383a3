"""Server against server under the same open-loop load: our bundle behind peers that batch by request, beside Heed.

Knows nothing of how a server works: what runs is in `inside`. One server runs at a time, and rounds are interleaved.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from bench.http import TASKS, heed, meter, requests
from bench.load.points import Point, best, climb
from bench.load.wire import target
from bench.peers.contest import Setting
from bench.peers.environments import ROOT, python_of
from bench.plot import draw
from bench.server import Server

INSIDE = "bench.peers.inside"
BATCHES, WAITS = (8, 16, 32, 64), (1.0, 5.0, 20.0, 50.0)
LATENCIES = (100.0, 500.0, 2000.0)  # BentoML is told the latency to aim at, and decides itself how long to wait
STEP = 1.15  # from one rate at which both are measured to the next


class Peer(NamedTuple):
    """How a server is started: the words after its interpreter, where it says that it is ready, how bodies look."""

    words: Sequence[str]
    ready: str
    waits: Sequence[float]
    wrap: Callable[[bytes], bytes] = bytes


PEERS: Mapping[str, Peer] = {
    "litserve": Peer(("-m", f"{INSIDE}.litserve_app"), "/health", WAITS),
    "mosec": Peer(
        ("-m", f"{INSIDE}.mosec_app", "--address", "127.0.0.1", "--port", "{port}", "--timeout", "60000"), "/", WAITS
    ),
    "bentoml": Peer(
        ("-m", "bentoml", "serve", f"{INSIDE}.bentoml_app:App", "--host", "127.0.0.1", "--port", "{port}"),
        "/readyz",
        LATENCIES,
        lambda body: b'{"asked":[' + body + b"]}",
    ),
}


OURS = "Heed"
ROWS = (40, 80, 160, 320)
Begin = Callable[[Setting], Server]  # a server under a setting, not yet started
Steps = Sequence[Sequence[Setting]]
Trial = Callable[[Callable[[float], Point]], list[Point]]  # what is measured, given how to measure a rate


class Tried(NamedTuple):
    """A server under a setting, measured: the points of all rates tried, and the most memory it took."""

    points: list[Point]
    memory: float


def compare(name: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Tune ours and a peer alike, see roughly how far each goes, then measure both at the same rates, round by round.

    What a server carries is read off its medians at those rates: one point alone says much about the machine's moment.

    Raises:
        Missing, NotServing: the peer cannot be had, or does not start.
    """
    python = str(python_of(name, given.work / "env"))
    begin: dict[str, Begin] = {
        OURS: lambda how: heed(given.bundle, given, how),
        name: lambda how: started(name, python, how, given),
    }
    best_of = {
        OURS: known(OURS, begin[OURS], _ours(given), given),
        name: known(name, begin[name], _theirs(name, given), given),
    }
    starts = {who: partial(begin[who], best_of[who]) for who in begin}
    climbing = partial(climb, start=given.start, bound=given.p95, stride=1.4, closeness=1.1)
    found = {who: best(under(start(), who, given, climbing).points, given.p95) for who, start in starts.items()}
    rates = ladder([one.achieved if one else given.start for one in found.values()])
    rounds = side_by_side(starts, rates, given)
    curves = {
        who: [_middle(points) for points in zip(*(one.points for one in tried), strict=True)]
        for who, tried in rounds.items()
    }
    _drawn(name, curves, given)
    rows = [_row(who, name, best_of[who], rounds[who], curves[who], given) for who in starts]
    ours = next(row["a_second"] for row in rows if row["engine"] == OURS)
    return [_printed({**row, "ratio": round(ours / row["a_second"], 3) if row["a_second"] else None}) for row in rows]


def ladder(carried: Sequence[float]) -> list[float]:
    """Rates from half of the lowest of these to beyond the highest, each STEP times the one before."""
    low, high = 0.5 * min(carried), STEP * max(carried)
    return [low * STEP**i for i in range(1 + math.ceil(math.log(high / low) / math.log(STEP)))]


def highest(points: Sequence[Point], bound: float) -> float:
    """Requests a second of the last point, in the order of rates, before one that does not hold; 0 if none does."""
    return next(
        (points[i - 1].achieved if i else 0.0 for i, one in enumerate(points) if not one.holds(bound)),
        points[-1].achieved,
    )


def _ours(given: argparse.Namespace) -> Steps:
    """What is tried of ours: engines against threads, then beam rows stepped at once."""
    spread = [{"engines": 1, "threads": given.threads}, {"engines": given.threads, "threads": 1}]
    return [spread, [{"rows": rows} for rows in ROWS]]


def _theirs(name: str, given: argparse.Namespace) -> Steps:
    """What is tried of a peer: workers against threads, then the size of a batch, then how long it waits for others."""
    waits = PEERS[name].waits
    usual: Setting = {"batch": 32, "wait": waits[len(waits) // 2]}
    spread = [{"workers": 1, "threads": given.threads, **usual}, {"workers": given.threads, "threads": 1, **usual}]
    return [spread, [{"batch": size} for size in BATCHES], [{"wait": wait} for wait in waits]]


def started(name: str, python: str, how: Setting, given: argparse.Namespace) -> Server:
    """A peer under a setting, not yet started."""
    values = {"bundle": given.bundle.absolute(), "precision": given.precision, "leaving": given.leaving}
    values |= {"port": "{port}", **how}
    environment = {f"BENCH_{key.upper()}": str(value) for key, value in values.items()}
    environment |= {"PYTHONPATH": str(ROOT), "BENTOML_HOME": str((given.work / "bentoml").absolute())}
    environment |= {"BENTOML_DO_NOT_TRACK": "True", "OMP_NUM_THREADS": str(how["threads"])}
    log = given.work / f"logs/{name}.log"
    return Server([python, *PEERS[name].words], ready=PEERS[name].ready, log=log, environment=environment)


def under(server: Server, who: str, given: argparse.Namespace, trial: Trial) -> Tried:
    """Start a server, try it, and stop it."""
    wrap = PEERS[who].wrap if who in PEERS else bytes
    print(f"{who}:", flush=True)
    with server:
        where = target(server.url, TASKS["text"])
        points = trial(meter(where, [wrap(body) for body in requests(given)], given))
        return Tried(points, server.memory())


def known(who: str, begin: Begin, steps: Steps, given: argparse.Namespace) -> Setting:
    """The setting that an earlier run found for the same work, or else this one's; kept in the working folder.

    Tuning takes most of the time, so that what was stopped may go on where it was.
    """
    path = given.work / "tuned.json"
    kept: dict[str, Setting] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    work = [who, given.bundle.name, given.precision, given.threads, given.beam, given.attention, given.p95]
    name = " ".join(map(str, [*work, *(["leaving"] if given.leaving and who != OURS else [])]))
    if name in kept and not given.tune_anew:
        print(f"{who} was best with {kept[name]} in an earlier run", flush=True)
        return kept[name]
    found = tuned(who, begin, steps, given)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**kept, name: found}, indent=1), "utf-8")
    return found


def tuned(who: str, begin: Begin, steps: Steps, given: argparse.Namespace) -> Setting:
    """The setting with the highest rate under the bound, one step's choices after the other."""
    how: Setting = {}
    rates: dict[str, float] = {}
    for step in steps:
        for choice in step:
            tried = {**how, **choice}
            if json.dumps(tried) not in rates:
                first = max(rates.values(), default=0.0) or given.start
                trial = partial(climb, start=first, bound=given.p95, stride=1.4, closeness=1.1)
                point = best(under(begin(tried), who, given, trial).points, given.p95)
                rates[json.dumps(tried)] = point.achieved if point else 0.0
        how = json.loads(max(rates, key=lambda key: rates[key]))
    print(f"{who} is best with {how}: {max(rates.values()):.1f} requests a second", flush=True)
    return how


def side_by_side(
    starts: Mapping[str, Callable[[], Server]], rates: Sequence[float], given: argparse.Namespace
) -> dict[str, list[Tried]]:
    """All servers at the same rates, `runs` times."""
    rounds: dict[str, list[Tried]] = {who: [] for who in starts}
    for _, (who, start) in product(range(given.runs), starts.items()):
        rounds[who].append(under(start(), who, given, lambda measure: [measure(rate) for rate in rates]))
    return rounds


def _middle(points: Sequence[Point]) -> Point:
    """Of one rate's points the one of median 95th percentile."""
    return sorted(points, key=lambda one: one.p95)[(len(points) - 1) // 2]


def _row(
    who: str,
    name: str,
    how: Setting,
    rounds: Sequence[Tried],
    curve: Sequence[Point],
    given: argparse.Namespace,
) -> dict[str, Any]:
    """One server's figures: what its medians carry, and what the worst and the best round carried."""
    each = [highest(one.points, given.p95) for one in rounds]
    return {
        "contest": name,
        "engine": who,
        "beam": given.beam,
        "attention": given.attention,
        "leaving": given.leaving or who == OURS,
        "bound_ms": given.p95,
        "a_second": round(highest(curve, given.p95), 2),
        "or_more": all(one.holds(given.p95) for one in curve),  # nothing higher was tried
        "slowest": round(min(each), 2),
        "fastest": round(max(each), 2),
        "p95_at_rate": [[round(one.offered, 1), one.told()["p95"]] for one in curve],
        "max_mb": round(max(one.memory for one in rounds)),
        "setting": how,
    }


def _printed(row: dict[str, Any]) -> dict[str, Any]:
    at_rates = ", ".join(f"{p95 or math.inf:.0f} ms at {rate}/s" for rate, p95 in row["p95_at_rate"])
    more = " or more" if row["or_more"] else ""
    highest = f"{row['a_second']}{more} requests a second with p95 under {row['bound_ms']:.0f} ms"
    print(f"{row['engine']}: {highest}; p95 {at_rates}; {row['max_mb']} MB")
    print(json.dumps(row), flush=True)
    return row


def _drawn(name: str, curves: Mapping[str, Sequence[Point]], given: argparse.Namespace) -> None:
    if given.plots:
        spots = {who: [(one.offered, one.p95) for one in curve] for who, curve in curves.items()}
        path = given.plots / f"heed-and-{name}.svg"
        path.write_text(draw(spots, title="95th percentile against load", bound=given.p95), "utf-8")
        print(f"drawn: {path}", file=sys.stderr)
