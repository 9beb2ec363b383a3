"""Contracts 2 to 5: rows are weights, follow their own ancestors, and survive the length limit."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.text import EOS
from service.engine.session import Session
from tests.engine.jobs import best, job, sentence


@pytest.mark.parametrize("beam", [1, 5])
def test_rows_are_weights_over_the_guests_own_positions(net: Session, beam: int) -> None:
    random = np.random.default_rng(4)
    jobs = [job(sentence(random, length), str(length), beam_size=beam) for length in (3, 5, 17)]
    for length, found in zip((3, 5, 17), best(net, *jobs), strict=True):
        assert found.rows is not None
        assert found.rows.shape == (len(found.ids), length + 1)  # EOS is a position too
        assert (found.rows >= 0).all()
        np.testing.assert_allclose(found.rows.sum(1), 1, atol=1e-5)


def test_the_map_of_the_best_hypothesis_is_that_of_a_forced_decode_of_the_same_words(net: Session) -> None:
    random = np.random.default_rng(5)
    crossed = 0
    for _ in range(20):
        ids = sentence(random, int(random.integers(2, 20)))
        searched = best(net, job(ids, beam_size=5, max_length=12))[0]
        greedy = best(net, job(ids, beam_size=1, max_length=12))[0]
        crossed += list(searched.ids) != list(greedy.ids)
        forced = best(net, job(ids, beam_size=1, max_length=12, prefix=tuple(searched.ids)))[0]
        assert list(forced.ids) == list(searched.ids)
        assert forced.rows is not None and searched.rows is not None
        np.testing.assert_allclose(forced.rows, searched.rows, atol=1e-5)
        np.testing.assert_allclose(forced.logprobs, searched.logprobs, atol=1e-4)
    assert crossed > 5, "the beams never crossed: this test would not see rows that stay behind"


def test_the_length_limit_gives_the_best_so_far_with_its_map(echo: Session) -> None:
    ids = list(range(10, 30))
    found = best(echo, job(ids, beam_size=3, max_length=7))[0]
    assert found.finish_reason == "length"
    assert list(found.ids) == ids[:7]
    assert found.rows is not None
    np.testing.assert_array_equal(found.rows.argmax(1), np.arange(7))


def test_a_forced_start_is_kept_and_the_search_goes_on_from_it(echo: Session) -> None:
    found = best(echo, job([10, 11, 12, 13], beam_size=5, prefix=(40, 41)))[0]
    assert list(found.ids) == [40, 41, 12, 13, EOS]


def test_n_best_are_different_and_in_order(net: Session) -> None:
    from service.engine.offline import answers

    done = answers(net, [job([5, 6, 7], beam_size=5, n_best=5, max_length=8)])[0]
    texts = [tuple(one.ids) for one in done.hypotheses]
    assert len(set(texts)) == 5
    ended = [one.score for one in done.hypotheses if one.finish_reason == "stop"]
    assert ended == sorted(ended, reverse=True)


def test_who_wants_no_attention_gets_none_though_the_neighbour_does(net: Session) -> None:
    without, with_map = best(net, job([5, 6], "a", attention=False), job([5, 6], "b"))
    assert without.rows is None and with_map.rows is not None
    assert list(without.ids) == list(with_map.ids)
