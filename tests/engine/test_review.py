"""The second course: what else each step could have said, and what it would have said under other attention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundle.manifest import Bundle
from service.engine.loop import Loop
from service.engine.review import MASKED, PLAIN, UNIFORM
from service.engine.sequence import Sequence
from service.engine.session import Session
from service.errors import DeadlinePassed
from service.messages import Done, Event, Failed
from tests.engine.jobs import best, job, sentence
from tests.engine.test_neighbours import same


@pytest.mark.parametrize("beam", [1, 4])
def test_the_plain_variant_says_the_answer_again(net: Session, beam: int) -> None:
    jobs = [job(sentence(np.random.default_rng(i), 3 + 2 * i), str(i), beam_size=beam, trials=True) for i in range(6)]
    for found in best(net, *jobs, rows=24, newcomers=3):
        plain = found.extras["tried_logprobs"][:, PLAIN]
        np.testing.assert_allclose(plain, found.logprobs, atol=1e-4)
        if beam == 1:
            assert found.extras["tried_first"][:, PLAIN].tolist() == list(found.ids)


def test_without_the_position_looked_at_the_echo_says_another_piece(echo: Session) -> None:
    ids = [10, 11, 12, 13]
    found = best(echo, job(ids, trials=True))[0]
    first = found.extras["tried_first"]
    assert first[:, PLAIN].tolist() == [*ids, 3]
    assert (first[:, MASKED] != first[:, PLAIN]).all()
    drop = found.extras["tried_logprobs"][:, [PLAIN]] - found.extras["tried_logprobs"]
    assert (drop[:, MASKED] > drop[:, UNIFORM]).all() and (drop[:, UNIFORM] > 1).all()


def test_a_variant_is_what_a_pinned_search_says_at_that_step(net: Session) -> None:
    """Made sure by other means: forced to the same start, and its step pinned to all but the position most attended."""
    ids = sentence(np.random.default_rng(5), 7)
    found = best(net, job(ids, beam_size=3, trials=True, max_length=9))[0]
    assert found.rows is not None
    for step, row in enumerate(found.rows):
        left = tuple(place for place in range(len(row)) if place != int(row.argmax()))
        start = tuple(found.ids[:step])
        other = best(net, job(ids, beam_size=1, prefix=start, pin=((step, left),), max_length=step + 1))[0]
        assert other.ids[step] == found.extras["tried_first"][step, MASKED]


def test_uniform_attention_is_that_of_a_net_whose_memory_is_its_mean(recurrent: Session) -> None:
    """All positions of this text are pieces that follow one another; the first step is worked out from the graphs."""
    one = job(sentence(np.random.default_rng(8), 6), beam_size=1, trials=True)
    found, encoded = best(recurrent, one)[0], recurrent.encode([dict(one.inputs)])
    feeds = {
        "token": np.array([[2]]), "rows": np.array([[0]]), "scores": np.zeros((1, 1), np.float32),
        "forced": np.array([[found.ids[0]]]), "candidates": np.array([1]), "mask": np.ones((1, 7), bool),
        **{name: values.mean(1, keepdims=True).repeat(7, 1) for name, values in encoded.memory.items()},
        **dict(zip(recurrent.layout.states, encoded.states, strict=True)),
    }  # fmt: skip
    out = recurrent.step(feeds, ["attention"])
    np.testing.assert_allclose(out["attention"], 1 / 7, atol=1e-6)
    np.testing.assert_allclose(found.extras["tried_logprobs"][0, UNIFORM], out["forced_out"][0, 0], atol=1e-5)


def test_alternatives_are_the_best_pieces_of_each_step_and_hold_the_one_that_was_said(net: Session) -> None:
    ids = sentence(np.random.default_rng(6), 6)
    two, five = best(net, job(ids, "2", beam_size=1, alternatives=2), job(ids, "5", beam_size=1, alternatives=5))
    assert two.extras["alternatives"].shape == (len(two.ids), 2)
    assert five.extras["alternatives"].shape == (len(five.ids), 5)
    assert five.extras["alternatives"][:, 0].tolist() == list(five.ids)  # greedy: the first is what was said
    np.testing.assert_array_equal(five.extras["alternatives"][:, :2], two.extras["alternatives"])
    logprobs = five.extras["alternative_logprobs"]
    np.testing.assert_allclose(logprobs[:, 0], five.logprobs, atol=1e-4)
    assert (np.diff(logprobs, axis=1) <= 0).all()
    step = 2
    again = best(net, job(ids, beam_size=1, prefix=(*five.ids[:step], int(five.extras["alternatives"][step, 3]))))[0]
    np.testing.assert_allclose(again.logprobs[step], logprobs[step, 3], atol=1e-4)


@pytest.mark.parametrize("rows", [8, 40, 320])
def test_reviews_change_nothing_and_nobody_changes_them(net: Session, rows: int) -> None:
    random = np.random.default_rng(7)
    wishes: list[dict[str, Any]] = [{}, {"trials": True}, {"alternatives": 3}, {"trials": True, "alternatives": 4}]
    jobs = [
        job(sentence(random, 3 + i % 9), str(i), beam_size=1 + 2 * (i % 2), max_length=3 + i % 8, **wishes[i % 4])
        for i in range(24)
    ]
    together = best(net, *jobs, rows=rows, newcomers=3)
    for one, found in zip(jobs, together, strict=True):
        alone = best(net, one)[0]
        same(found, alone)
        assert set(found.extras) == set(alone.extras)
        for name, values in alone.extras.items():
            np.testing.assert_allclose(found.extras[name], values, atol=1e-3)


def test_state_that_stays_on_its_device_is_reviewed_alike(toys: Path, recurrent: Session) -> None:
    bound = Session(Bundle(toys / "toy-recurrent"), precision="fp32", bind=True)
    jobs = [job(sentence(np.random.default_rng(i), 3 + i), str(i), beam_size=3, trials=True) for i in range(4)]
    for one, other in zip(best(bound, *jobs, newcomers=2), best(recurrent, *jobs, newcomers=2), strict=True):
        np.testing.assert_allclose(one.extras["tried_logprobs"], other.extras["tried_logprobs"], atol=1e-4)


def test_a_guest_whose_time_is_up_in_the_middle_of_its_review_is_told_so(echo: Session) -> None:
    loop, ends = Loop(echo, "test", rows=8, newcomers=4, queue=9), list[Event]()
    late = Sequence(job([5] * 20, beam_size=1, trials=True, deadline=1e12), ends.append, 0.0)
    stays = Sequence(job([6] * 20, "stays", beam_size=1, trials=True), ends.append, 0.0)
    for one in (late, stays):
        loop.scheduler.add(one)
    while not loop.reviews or not all(review.recalls for review in loop.reviews.values()):
        loop.admit()
        loop.step()
    (review,) = loop.reviews.values()
    review.deadlines[:] = [0 if guest is late else np.inf for guest in review.guests]
    while loop.seated():
        loop.admit()
        loop.step()
    assert {type(end) for end in ends} == {Failed, Done}
    (failed,) = (end for end in ends if isinstance(end, Failed))
    assert isinstance(failed.error, DeadlinePassed)
