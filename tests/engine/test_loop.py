"""Contracts 6 to 8: what happens to guests when they leave, when time is up, and when the loop dies."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many
from typing import Any

import numpy as np
import pytest

from service.engine.loop import Loop
from service.engine.sequence import Sequence
from service.engine.session import Session
from service.errors import DeadlinePassed, Draining, EngineFailed, Malformed, NotReady, QueueFull
from service.messages import Done, Event, Failed, Job
from tests.engine.jobs import job


class Slow:
    """A session that takes its time at each step, so that guests can be caught seated."""

    def __init__(self, session: Session, seconds: float = 0.02) -> None:
        self.session, self.seconds, self.broken = session, seconds, False
        self.layout = session.layout

    def encode(self, inputs: list[Any]) -> Any:
        if any(len(one["source"]) == 14 for one in inputs):
            raise ValueError("thirteen pieces bring bad luck")
        return self.session.encode(inputs)

    def step(self, feeds: Mapping[str, np.ndarray], kept: Many[str]) -> dict[str, np.ndarray]:
        if self.broken:
            raise RuntimeError("the graph broke")
        time.sleep(self.seconds)
        return self.session.step(feeds, kept)


class Guests:
    """Submits jobs and waits for their ends."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.events = loop, queue.Queue[Event]()

    def submit(self, one: Job) -> Any:
        return self.loop.submit(one, self.events.put)

    def end(self) -> Event:
        return self.events.get(timeout=20)


@pytest.fixture
def slow(echo: Session) -> Slow:
    return Slow(echo)


@pytest.fixture
def guests(slow: Slow) -> Iterator[Guests]:
    loop = Loop(slow, "test", rows=10, newcomers=4, queue=15)
    loop.start()
    yield Guests(loop)
    loop.drain(5)


def wait_until(condition: Any) -> None:
    """Poll until a condition holds; the test fails by time-out."""
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never happened")


def test_a_guest_who_leaves_frees_the_slot_and_others_are_served(guests: Guests) -> None:
    ticket = guests.submit(job(range(10, 45), "leaver"))
    wait_until(lambda: guests.loop.seated() == 5)
    guests.loop.cancel(ticket)
    assert isinstance(guests.end(), Failed)
    assert guests.loop.seated() == 0
    guests.submit(job([10, 11], "stayer"))
    end = guests.end()
    assert isinstance(end, Done) and list(end.hypotheses[0].ids)[:2] == [10, 11]


def test_who_leaves_is_seen_off_though_another_is_late_in_the_queue_at_the_same_tick(slow: Slow) -> None:
    ends: dict[str, Event] = {}
    loop = Loop(slow, "test", rows=5, newcomers=4, queue=15)
    seated = Sequence(job(range(10, 45), "leaver"), lambda event: ends.__setitem__(event.job, event), 0.0)
    loop.scheduler.add(seated)
    loop.admit()
    assert loop.seated() == 5
    late = job(range(10, 45), "late", deadline=time.monotonic())
    loop.scheduler.add(Sequence(late, lambda event: ends.__setitem__(event.job, event), 0.0))
    loop.cancel(seated)
    loop.admit()
    assert set(ends) == {"leaver", "late"} and loop.seated() == 0


def test_a_deadline_ends_a_seated_guest_and_one_still_waiting(guests: Guests) -> None:
    soon = time.monotonic() + 0.15
    for name in ("seated", "seated too", "waiting"):
        guests.submit(job(range(10, 45), name, deadline=soon))
    for _ in range(3):
        end = guests.end()
        assert isinstance(end, Failed) and isinstance(end.error, DeadlinePassed)


def test_a_full_queue_refuses_and_serves_on(guests: Guests) -> None:
    accepted, refused = 0, list[QueueFull]()
    for i in range(12):
        try:
            guests.submit(job(range(10, 30), str(i)))
            accepted += 1
        except QueueFull as full:
            refused.append(full)
    assert refused and all(full.limit == 15 and full.retry_after for full in refused)
    assert sorted({guests.end().job for _ in range(accepted)}) == sorted(str(i) for i in range(accepted))


def test_a_beam_wider_than_the_table_is_refused_before_the_queue(guests: Guests) -> None:
    with pytest.raises(Malformed):
        guests.submit(job([10], beam_size=12))


def test_an_input_that_cannot_be_encoded_fails_alone(guests: Guests) -> None:
    for name, length in (("good", 3), ("unlucky", 13), ("good too", 5)):
        guests.submit(job(range(10, 10 + length), name))
    ends = {end.job: end for end in (guests.end() for _ in range(3))}
    assert isinstance(ends["unlucky"], Failed)
    assert isinstance(ends["good"], Done) and isinstance(ends["good too"], Done)


def test_a_loop_that_dies_fails_everybody_at_once_and_says_so(guests: Guests, slow: Slow) -> None:
    for name in ("seated", "seated too", "waiting"):
        guests.submit(job(range(10, 40), name))
    wait_until(lambda: guests.loop.seated() == 10)
    slow.broken = True
    for _ in range(3):
        end = guests.end()
        assert isinstance(end, Failed) and isinstance(end.error, EngineFailed) and end.error.retryable
    assert not guests.loop.ready()
    with pytest.raises(NotReady):
        guests.submit(job([10]))


def test_draining_finishes_what_was_accepted_and_refuses_more(guests: Guests) -> None:
    guests.submit(job([10, 11, 12], "accepted"))
    guests.loop.draining = True
    with pytest.raises(Draining):
        guests.submit(job([10]))
    guests.loop.drain(10)
    assert isinstance(guests.end(), Done)
    assert not guests.loop.ready()


def test_draining_out_of_time_fails_the_rest(guests: Guests, slow: Slow) -> None:
    slow.seconds = 0.2
    guests.submit(job(range(10, 40), "too long"))
    wait_until(lambda: guests.loop.seated() > 0)
    guests.loop.drain(0.1)
    end = guests.end()
    assert isinstance(end, Failed) and isinstance(end.error, Draining)
