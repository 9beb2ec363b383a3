"""Who sits down next, and the arrays they sit in."""

from __future__ import annotations

import numpy as np
import pytest

from service.engine.scheduler import Scheduler, width_for
from service.engine.sequence import Sequence
from service.engine.session import Session
from tests.engine.jobs import best, job


def guest(name: str, beam: int) -> Sequence:
    return Sequence(job([5], name, beam_size=beam), lambda event: None, 0.0)


def test_a_beam_sits_at_the_narrowest_table_that_holds_it() -> None:
    assert [width_for(beam) for beam in (1, 2, 3, 4, 5, 6, 32)] == [1, 2, 3, 5, 5, 8, 32]
    with pytest.raises(ValueError, match="wider"):
        width_for(33)


def test_a_wide_guest_at_the_head_of_the_queue_is_never_overtaken() -> None:
    scheduler = Scheduler(rows=10, newcomers=8)
    for name, beam in (("narrow", 1), ("wide", 8), ("late", 1)):
        scheduler.add(guest(name, beam))
    assert [one.job.id for one in scheduler.pick(seated_rows=4)] == ["narrow"]
    assert [one.job.id for one in scheduler.pick(seated_rows=5)] == []
    assert [one.job.id for one in scheduler.pick(seated_rows=1)] == ["wide", "late"]


def test_those_who_left_or_are_late_are_taken_out_of_the_queue() -> None:
    scheduler = Scheduler(rows=10, newcomers=8)
    gone, late, here = guest("gone", 1), guest("late", 1), guest("here", 1)
    gone.cancelled = True
    late.job = job([5], "late", deadline=3.0)
    for one in (gone, late, here):
        scheduler.add(one)
    assert [one.job.id for one in scheduler.gone(now=3.0)] == ["gone", "late"]
    assert [one.job.id for one in scheduler.waiting] == ["here"]


def test_a_crowd_bigger_than_the_table_is_served_in_turns_and_nobody_is_lost(echo: Session) -> None:
    jobs = [job([10 + i % 50] * (1 + i % 9), str(i), beam_size=1 + i % 5) for i in range(60)]
    found = best(echo, *jobs, rows=12, newcomers=3)
    assert [len(one.ids) - 1 for one in found] == [1 + i % 9 for i in range(60)]
    assert all(np.isfinite(one.score) for one in found)
