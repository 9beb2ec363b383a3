"""Who sits down next, and the arrays they sit in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.engine.loop import Loop
from service.engine.scheduler import SHARE, Scheduler, span_for, width_for
from service.engine.sequence import Sequence
from service.engine.session import Session
from service.messages import Job, Options
from tests.engine.jobs import best, job

PLENTY = 10**6


def guest(
    name: str, beam: int = 1, *, owner: str = "", length: int = 2, arrived: float = 0.0, **options: Any
) -> Sequence:
    inputs = {"source": np.full(length, 5)}
    return Sequence(Job(name, "toy", inputs, Options(beam, **options), owner), lambda event: None, arrived)


def queue(scheduler: Scheduler, *guests: Sequence) -> None:
    for one in guests:
        scheduler.add(one)


def names(picked: list[Sequence]) -> list[str]:
    return [one.job.id for one in picked]


def test_a_beam_sits_at_the_narrowest_table_that_holds_it() -> None:
    assert [width_for(beam) for beam in (1, 2, 3, 4, 5, 6, 32)] == [1, 2, 3, 5, 5, 8, 32]
    with pytest.raises(ValueError, match="wider"):
        width_for(33)


def test_a_length_sits_with_its_like() -> None:
    assert [span_for(length) for length in (1, 64, 65, 128, 129, 500)] == [64, 64, 128, 128, 256, 512]


def test_who_does_not_fit_is_passed_over_but_not_for_ever() -> None:
    scheduler = Scheduler(rows=10, newcomers=8, patience=2.0)
    queue(scheduler, guest("wide", 8, owner="w"), *(guest(f"late{i}", arrived=1.0) for i in range(3)))
    assert names(scheduler.pick(2, PLENTY, now=1.0)) == ["late0", "late1"]
    assert names(scheduler.pick(2, PLENTY, now=2.0)) == [], "it has waited long enough: everybody waits for it"
    assert names(scheduler.pick(9, PLENTY, now=2.1)) == ["wide", "late2"]
    assert (scheduler.waiting, scheduler.waiting_rows) == (0, 0)


def test_what_does_not_fit_the_cells_waits() -> None:
    scheduler = Scheduler(rows=10, newcomers=8, cells=256)
    long, short = guest("long", length=200, owner="l"), guest("short", length=10)
    assert scheduler.fits(long) and not scheduler.fits(guest("longer", length=257))
    queue(scheduler, long, short)
    assert names(scheduler.pick(10, 128, now=0.1)) == ["short"]
    assert names(scheduler.pick(10, 255, now=0.1)) == []
    assert names(scheduler.pick(10, 256, now=0.1)) == ["long"]


def test_an_input_that_does_not_tell_its_length_takes_the_models_longest() -> None:
    scheduler = Scheduler(rows=10, newcomers=8, positions=196, cells=300)
    picture = Sequence(Job("picture", "toy", {"pixels": np.zeros(3)}, Options(1)), lambda event: None, 0.0)
    assert scheduler.span(picture) == 256


def test_owners_take_turns_however_many_texts_one_of_them_brings() -> None:
    scheduler = Scheduler(rows=10, newcomers=2)
    queue(scheduler, *(guest(f"a{i}", owner="a") for i in range(6)), guest("b0", owner="b"), guest("c0", owner="c"))
    order = [name for _ in range(4) for name in names(scheduler.pick(10, PLENTY, now=0.1))]
    assert order == ["a0", "b0", "c0", "a1", "a2", "a3", "a4", "a5"]


def test_the_urgent_come_first_and_those_who_are_not_come_in_the_end() -> None:
    scheduler = Scheduler(rows=10, newcomers=1, patience=5.0)
    queue(scheduler, guest("whenever", priority=2), guest("usual"), guest("urgent", priority=0))
    assert names(scheduler.pick(10, PLENTY, now=1.0)) == ["urgent"]
    queue(scheduler, guest("urgent too", priority=0, arrived=1.0))
    assert names(scheduler.pick(10, PLENTY, now=5.0)) == ["whenever"], "urgent or not, nobody waits for ever"
    assert names(scheduler.pick(10, PLENTY, now=4.0)) == ["urgent too"]


def test_a_stream_of_urgent_guests_starves_nobody() -> None:
    scheduler, served = Scheduler(rows=10, newcomers=1, patience=3.0), list[str]()
    queue(scheduler, guest("patient", 8, priority=2))
    for second in range(8):
        queue(scheduler, *(guest(f"urgent{second}.{i}", priority=0, arrived=second) for i in range(2)))
        served += names(scheduler.pick(8, PLENTY, now=float(second)))
    assert "patient" in served[:4]


def test_those_whose_deadline_passed_are_taken_out_of_the_queue_and_those_who_sat_down_are_not() -> None:
    scheduler = Scheduler(rows=10, newcomers=1)
    queue(scheduler, guest("seated", deadline=2.0), guest("late", deadline=3.0), guest("here", deadline=9.0))
    assert names(scheduler.pick(10, PLENTY, now=0.0)) == ["seated"]
    assert names(scheduler.late(now=3.0)) == ["late"]
    assert names(scheduler.late(now=3.0)) == []
    assert names(scheduler.clear()) == ["here"]
    assert (scheduler.waiting, scheduler.waiting_rows) == (0, 0)


def test_a_table_too_small_for_the_longest_input_stops_the_start(echo: Session) -> None:
    with pytest.raises(ValueError, match="64 cells"):
        Loop(echo, "small", rows=10, newcomers=2, queue=9, cells=63)
    Loop(echo, "just enough", rows=10, newcomers=2, queue=9, cells=64)


def test_a_crowd_bigger_than_the_table_is_served_in_turns_and_nobody_is_lost(echo: Session) -> None:
    jobs = [job([10 + i % 50] * (1 + i % 40), str(i), beam_size=1 + i % 5, max_length=50) for i in range(60)]
    found = best(echo, *jobs, rows=12, newcomers=3)
    assert [len(one.ids) - 1 for one in found] == [1 + i % 40 for i in range(60)]
    assert all(np.isfinite(one.score) for one in found)


def test_where_not_all_can_sit_nobody_does_before_a_share_of_the_rows_is_free() -> None:
    scheduler = Scheduler(8 * SHARE, 32)
    for number in range(3):
        scheduler.add(guest(f"guest{number}", 5))
    assert names(scheduler.pick(7, PLENTY, now=0.1)) == [], "three want fifteen rows, and an eighth of all is eight"
    assert names(scheduler.pick(8, PLENTY, now=0.1)) == ["guest0"]
    assert names(scheduler.pick(10, PLENTY, now=0.1)) == ["guest1", "guest2"]
    scheduler.add(guest("alone", 5))
    assert names(scheduler.pick(5, PLENTY, now=0.1)) == ["alone"], "all who wait can sit"
