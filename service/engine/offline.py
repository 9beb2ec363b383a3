"""The engine without its thread: jobs in, answers out, in the calling thread. For export, benchmarks and tests.

Knows nothing of links or servers; it is the very loop that serves.
"""

from __future__ import annotations

from collections.abc import Iterable

from service.engine.loop import Loop, Steps
from service.engine.repeats import USUAL
from service.engine.search import USUAL_MARGIN, Rules
from service.engine.sequence import Sequence
from service.messages import Done, Event, Failed, Job

AS_SERVED = Rules(USUAL, USUAL_MARGIN)


def answers(
    session: Steps,
    jobs: Iterable[Job],
    *,
    rows: int = 320,
    newcomers: int = 32,
    repeats: int = AS_SERVED.repeats,
    margin: float = AS_SERVED.margin,
    kind: type[Loop] = Loop,
) -> list[Done]:
    """Serve jobs to the end, batched in flight as always; the answers in the order of the jobs.

    repeats and margin: as in `Rules`, and as it is served unless said otherwise; kind: another loop, to compare ours.

    Raises:
        HeedError: a job failed.
    """
    loop = kind(session, "offline", rows=rows, newcomers=newcomers, queue=0, rules=Rules(repeats, margin))
    return served(loop, jobs)


def served(loop: Loop, jobs: Iterable[Job]) -> list[Done]:
    """The same by a loop that was made before, and whose tables are there already if it has served; not started.

    Raises:
        HeedError: a job failed.
    """
    ends: dict[str, Event] = {}

    def sink(event: Event) -> None:
        ends[event.job] = event

    order = []
    for job in jobs:
        order.append(job.id)
        loop.scheduler.add(Sequence(job, sink, 0.0))
    while loop.scheduler.waiting or loop.seated():
        loop.admit()
        loop.step()
    return [_done(ends[job]) for job in order]


def _done(event: Event) -> Done:
    if isinstance(event, Failed):
        raise event.error
    if not isinstance(event, Done):
        raise RuntimeError(f"{event} is not an end")
    return event
