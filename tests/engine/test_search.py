"""The choice among candidates, by hand."""

from __future__ import annotations

import numpy as np

from bundle.text import EOS
from service.engine.search import ALIVE, DEAD, Candidates, Choice, choose, force, pruned


def test_ended_hypotheses_leave_and_the_next_best_take_their_beams() -> None:
    candidates = Candidates(
        np.array([[-1.0, -2.0, -3.0, -4.0]], np.float32),
        np.array([[EOS, 7, 8, 9]]),
        np.array([[1, 0, 1, 0]]),
    )
    choice = choose(candidates, np.array([2]), 2)
    assert choice.tokens.tolist() == [[7, 8]] and choice.parents.tolist() == [[0, 1]]
    assert choice.scores.tolist() == [[-2.0, -3.0]]
    assert choice.ended.tolist() == [0] and choice.ended_parents.tolist() == [1] and choice.ended_scores[0] == -1.0


def test_an_end_outside_the_requests_own_beam_does_not_count() -> None:
    candidates = Candidates(
        np.array([[-1.0, -2.0, -3.0, -4.0]], np.float32),
        np.array([[7, 8, EOS, 9]]),
        np.array([[0, 0, 0, 1]]),
    )
    assert len(choose(candidates, np.array([2]), 2).ended) == 0
    assert len(choose(candidates, np.array([3]), 2).ended) == 1


def test_a_narrow_guest_at_a_wide_table_keeps_dead_rows_dead() -> None:
    candidates = Candidates(
        np.array([[-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]], np.float32),
        np.array([[4, 5, 6, 7, 8, 9]]),
        np.zeros((1, 6), np.int64),
    )
    choice = choose(candidates, np.array([1]), 3)
    assert (choice.scores > ALIVE).tolist() == [[True, False, False]]


def test_a_forced_piece_takes_the_place_of_all_candidates_of_its_request_alone() -> None:
    candidates = Candidates(np.full((2, 2), -1.0, np.float32), np.array([[4, 5], [6, 7]]), np.array([[1, 1], [1, 1]]))
    found = force(candidates, np.array([True, False]), np.array([9, 0]), np.array([-8.0, 0.0], np.float32))
    assert found.tokens[0, 0] == 9 and found.scores[0, 0] == -8.0 and found.scores[0, 1] < ALIVE
    assert found.parents[0, 0] == 0 and found.tokens[1].tolist() == [6, 7]


def choice_of(*scores: float) -> Choice:
    """One request's beams with these scores."""
    nobody = np.zeros(0, np.int64)
    row = np.arange(len(scores))[None]
    return Choice(np.array([scores], np.float32), row + 4, row, nobody, nobody, nobody.astype(np.float32))


def test_a_beam_too_far_behind_the_best_is_given_up() -> None:
    kept = pruned(choice_of(-1.0, -3.4, -3.6, DEAD), np.array([2.5]), np.array([-np.inf]))
    assert (kept.scores > ALIVE).tolist() == [[True, True, False, False]]
    assert kept.scores[0, :2].tolist() == choice_of(-1.0, -3.4).scores[0].tolist() and kept.tokens.tolist() == [
        [4, 5, 6, 7]
    ]


def test_a_beam_that_would_not_beat_what_has_ended_is_given_up_though_it_be_the_best() -> None:
    assert (pruned(choice_of(-1.0, -2.0), np.array([np.inf]), np.array([-1.5])).scores > ALIVE).tolist() == [
        [True, False]
    ]
    assert not (pruned(choice_of(-1.0, -2.0), np.array([np.inf]), np.array([-1.0])).scores > ALIVE).any()


def test_each_request_has_its_own_margin() -> None:
    one = choice_of(-1.0, -2.0)
    two = Choice(one.scores.repeat(2, 0), one.tokens.repeat(2, 0), one.parents.repeat(2, 0), *([one.ended] * 3))
    kept = pruned(two, np.array([0.5, np.inf]), np.full(2, -np.inf))
    assert (kept.scores > ALIVE).tolist() == [[True, False], [True, True]]
