"""Contract 1: who else is in the batch changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import Bundle
from service.engine.loop import Loop
from service.engine.sequence import Sequence
from service.engine.session import Session
from service.messages import Done, Event, Hypothesis
from tests.engine.jobs import best, job, sentence


def same(one: Hypothesis, other: Hypothesis) -> None:
    assert list(one.ids) == list(other.ids)
    assert one.rows is not None and other.rows is not None
    np.testing.assert_allclose(one.rows, other.rows, atol=1e-5)


@pytest.mark.parametrize("margin", [np.inf, 0.3])
@pytest.mark.parametrize("beam", [1, 3, 5])
def test_a_guest_alone_gets_what_it_gets_in_a_full_batch_of_longer_ones(net: Session, beam: int, margin: float) -> None:
    """Nor do rows that were given up: of those that live, others are computed at every step."""
    random = np.random.default_rng(1)
    guest = job(sentence(random, 6), beam_size=beam)
    others = [job(sentence(random, 5 + i), f"other{i}", beam_size=1 + i % 5) for i in range(20)]
    alone = best(net, guest, margin=margin)[0]
    same(alone, best(net, *others[:7], guest, *others[7:], margin=margin)[7])


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", ["toy-recurrent", "toy-transformer"])
def test_a_late_guest_does_not_change_the_rows_of_those_seated(toys: Path, name: str, precision: str) -> None:
    session = Session(Bundle(toys / name), precision=precision)
    random = np.random.default_rng(2)
    early, late = job(sentence(random, 4), "early"), job(sentence(random, 30), "late")
    ends: dict[str, Event] = {}
    loop = Loop(session, "test", rows=40, newcomers=4, queue=9)
    for one, steps in ((early, 3), (late, 60)):
        loop.scheduler.add(Sequence(one, lambda event: ends.__setitem__(event.job, event), 0.0))
        for _ in range(steps):
            loop.admit()
            loop.step()
    for one in (early, late):
        end = ends[one.id]
        assert isinstance(end, Done)
        same(end.hypotheses[0], best(session, one)[0])


@pytest.mark.parametrize("beam", [1, 3])
def test_guests_who_come_and_go_at_any_step_change_nothing_for_one_who_stays_long(net: Session, beam: int) -> None:
    """The long guest outgrows the room that tables begin with; newcomers sit down when it is at every step."""
    random = np.random.default_rng(7)
    long = job(sentence(random, 9), "long", beam_size=beam, max_length=75, prefix=tuple(sentence(random, 70)))
    short = [job(sentence(random, 3 + i % 4), str(i), beam_size=beam, max_length=1 + i % 5) for i in range(90)]
    found = best(net, *short[:3], long, *short[3:], rows=4 * beam, newcomers=2)
    same(found.pop(3), best(net, long)[0])
    for one, answer in zip(short[::9], found[::9], strict=True):
        same(answer, best(net, one)[0])


def test_every_guest_of_a_crowd_gets_its_own_words_and_its_own_map(echo: Session) -> None:
    random = np.random.default_rng(3)
    texts = [sentence(random, int(length)) for length in random.integers(1, 30, 50)]
    jobs = [job(text, str(i), beam_size=[1, 2, 5, 8][i % 4]) for i, text in enumerate(texts)]
    for text, found in zip(texts, best(echo, *jobs, rows=40, newcomers=6), strict=True):
        assert list(found.ids)[:-1] == text
        assert found.rows is not None
        np.testing.assert_array_equal(found.rows.argmax(1), np.arange(len(text) + 1))
