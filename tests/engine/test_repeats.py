"""No answer says the same over and over, unless its source does."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.text import EOS
from service.engine.repeats import LONGEST, Repeats, copies
from service.engine.search import ALIVE, Candidates, Choice
from service.engine.sequence import Sequence
from service.engine.session import Session
from service.messages import Job
from tests.engine.jobs import best, job, sentence

BOUND = 3


def most(ids: list[int]) -> int:
    """How often in a row something of at most LONGEST pieces is said, looked for piece by piece."""
    found = 1
    for start in range(len(ids)):
        for period in range(1, LONGEST + 1):
            times = 1
            while ids[start + times * period :][:period] == ids[start : start + period]:
                times += 1
            found = max(found, times)
    return found


def loops(ids: list[int], times: int) -> bool:
    """Whether something is said so many times in a row and begun once more."""
    return any(
        ids[start : start + times * period + 1] == (ids[start : start + period] * (times + 1))[: times * period + 1]
        for start in range(len(ids))
        for period in range(1, LONGEST + 1)
    )


def crowd(beam: int) -> list[Job]:
    random = np.random.default_rng(3)
    return [
        job(sentence(random, int(random.integers(2, 15))), str(i), beam_size=beam, max_length=4 + i) for i in range(24)
    ]


@pytest.mark.parametrize("beam", [1, 4])
def test_loops_end_and_who_does_not_loop_is_not_disturbed(net: Session, beam: int) -> None:
    """A net of random weights knows little else than loops, so that at times every candidate goes on with one."""
    jobs = crowd(beam)
    free, bound = (best(net, *jobs, rows=40, newcomers=5, repeats=bound) for bound in (0, BOUND))
    looping = [loops(list(one.ids), BOUND) for one in free]
    assert sum(loops(list(one.ids), BOUND) for one in bound) < sum(looping) / 2
    for one, other, looped in zip(free, bound, looping, strict=True):
        if not looped and beam == 1:
            assert one.ids == other.ids


def said(table: Repeats, tokens: list[int]) -> None:
    """The one row of a guest says these."""
    for token in tokens:
        nobody = np.zeros(0, np.int64)
        one = np.array([[token]])
        table.turn(Choice(np.zeros((1, 1), np.float32), one, np.zeros_like(one), nobody, nobody, nobody))


@pytest.mark.parametrize(
    ("before", "source", "barred"),
    [
        ([7, 7, 7], [4, 5, EOS], [7]),
        ([7, 7], [4, 5, EOS], []),
        ([9, 7, 8, 7, 8, 7, 8], [4, 5, EOS], [7]),
        ([9, 7, 8, 7, 8, 7], [4, 5, EOS], []),
        ([7, 7, 7], [4, 4, 4, 4, EOS], []),
        ([7, 7, 7, 7], [4, 4, 4, 4, EOS], [7]),
        ([1, 2, 3, 4, 5, 6, 7, 8] * 3, [9, EOS], [1]),
    ],
)
def test_a_candidate_that_begins_the_same_once_more_is_dead(
    before: list[int], source: list[int], barred: list[int]
) -> None:
    table, guest = Repeats(2, 1, 3), Sequence(job(source[:-1]), lambda _: None, 0.0)
    said(table, before)
    tokens = np.array([[1, 7, 8, 30]])
    candidates = Candidates(np.full((1, 4), -1.0, np.float32), tokens, np.zeros_like(tokens))
    left = table.without(candidates, [guest]).scores[0] > ALIVE
    assert tokens[0, ~left].tolist() == barred
    only = Candidates(candidates.scores[:, :1], np.array([[7]]), np.zeros((1, 1), np.int64))
    assert table.without(only, [guest]).scores[0, 0] > ALIVE, "where nothing else is left it may be said"
    table.clear(0, 1)
    assert (table.without(candidates, [guest]).scores > ALIVE).all()


def test_a_guest_alone_and_in_a_crowd_says_the_same(net: Session) -> None:
    jobs = crowd(3)
    together = best(net, *jobs, rows=30, newcomers=4, repeats=2)
    for one, answer in list(zip(jobs, together, strict=True))[::5]:
        assert best(net, one, repeats=2)[0].ids == answer.ids


def test_what_the_source_repeats_may_be_repeated_as_often(echo: Session) -> None:
    source = [7, 8, 7, 8, 7, 8, 7, 8]
    for beam in (1, 3):
        free, bound, other = (
            best(echo, job(ids, beam_size=beam), repeats=repeats)[0]
            for ids, repeats in ((source, 0), (source, 2), ([9, 4, 9, 4], 1))
        )
        assert list(free.ids) == [*source, EOS] == list(bound.ids)
        assert list(other.ids) == [9, 4, 9, 4, EOS]


def test_how_often_a_source_says_something() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        ids = random.integers(4, 6, int(random.integers(1, 14)))
        assert copies(ids) == most(ids.tolist())
    assert copies(None) == 0


def test_a_forced_prefix_may_repeat_itself(net: Session) -> None:
    prefix = (9, 9, 9, 9, 9)
    assert best(net, job([5, 6, 7], prefix=prefix), repeats=2)[0].ids[:5] == list(prefix)
