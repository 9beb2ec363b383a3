"""What those who listen are told: every step's change to the leading hypothesis, adding up to the answer."""

from __future__ import annotations

import numpy as np
import pytest

from service.engine.loop import Loop
from service.engine.sequence import Sequence
from service.engine.session import Session
from service.messages import Done, Event, Job, Tokens
from tests.engine.jobs import best, job, sentence


def heard(session: Session, *jobs: Job, rows: int = 40) -> dict[str, list[Event]]:
    """Every event of each job."""
    loop, events = Loop(session, "test", rows=rows, newcomers=3, queue=9), {one.id: list[Event]() for one in jobs}
    for one in jobs:
        loop.scheduler.add(Sequence(one, lambda event: events[event.job].append(event), 0.0))
    while loop.scheduler.waiting or loop.seated():
        loop.admit()
        loop.step()
    return events


def crowd(count: int, beam: int) -> list[Job]:
    random = np.random.default_rng(6)
    return [
        job(sentence(random, int(random.integers(2, 15))), str(i), beam_size=beam, max_length=12, stream=i % 3 != 1)
        for i in range(count)
    ]


@pytest.mark.parametrize("beam", [1, 5])
def test_changes_add_up_to_what_a_hypothesis_says_and_to_its_rows(net: Session, beam: int) -> None:
    revised = 0
    for name, events in heard(net, *crowd(12, beam)).items():
        *told, end = events
        assert isinstance(end, Done)
        assert bool(told) == (int(name) % 3 != 1), "those who do not listen are told nothing but the end"
        ids, logprobs, rows = list[int](), list[float](), list[np.ndarray]()
        for change in told:
            assert isinstance(change, Tokens) and change.rows is not None
            assert len(change.ids) == len(change.logprobs) == len(change.rows) >= 1
            revised += change.kept < len(ids)
            ids, logprobs = ids[: change.kept] + list(change.ids), logprobs[: change.kept] + change.logprobs.tolist()
            rows = rows[: change.kept] + list(change.rows)
        final = end.hypotheses[0]
        if beam == 1 and told:  # in a wider beam another hypothesis may win in the end
            assert ids == list(final.ids)[: len(ids)] and len(final.ids) - len(ids) <= 1
            assert final.rows is not None
            np.testing.assert_array_equal(np.stack(rows), final.rows[: len(rows)])
            np.testing.assert_allclose(logprobs, final.logprobs[: len(ids)], atol=1e-5)
    assert (revised > 0) == (beam > 1)


def test_listening_changes_nothing(net: Session) -> None:
    quiet = [job(one.inputs["source"][:-1].tolist(), one.id, beam_size=5, max_length=12) for one in crowd(6, 5)]
    for one, events in zip(quiet, heard(net, *crowd(6, 5)).values(), strict=True):
        end = events[-1]
        assert isinstance(end, Done)
        assert list(end.hypotheses[0].ids) == list(best(net, one)[0].ids)


def test_who_asks_for_every_head_gets_them_beside_one_who_does_not(transformer: Session) -> None:
    every, one = best(transformer, job([5, 6, 7], "a", heads=True), job([5, 6, 7], "b"))
    shown = transformer.manifest.attention[0]
    assert every.rows is not None and one.rows is not None
    assert every.rows.shape == (len(one.ids), 2, 3, 4)
    np.testing.assert_allclose(every.rows.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(every.rows[:, shown.default_layer].mean(1), one.rows, atol=1e-6)
