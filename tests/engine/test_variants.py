"""Attention that looks at a window, and no attention at all, served as any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import Bundle
from service.engine.session import Session
from tests.engine.jobs import best, job, sentence


@pytest.fixture(scope="module")
def local(toys: Path) -> Session:
    """Local predictive attention in Luong's net: state of two parts, and a window beside each row."""
    return Session(Bundle(toys / "toy-local"), precision="fp32")


@pytest.fixture(scope="module")
def none(toys: Path) -> Session:
    """The encoder-decoder without attention: all it knows of its source is in its state."""
    return Session(Bundle(toys / "toy-none"), precision="fp32")


def test_rows_and_windows_of_local_attention_are_the_same_alone_and_in_company(local: Session) -> None:
    random = np.random.default_rng(7)
    jobs = [job(sentence(random, length), str(length), beam_size=4, max_length=12) for length in (3, 20, 9)]
    for one, together in zip(jobs, best(local, *jobs), strict=True):
        (alone,) = best(local, one)
        assert alone.rows is not None and together.rows is not None and list(alone.ids) == list(together.ids)
        np.testing.assert_allclose(alone.rows, together.rows, atol=1e-5)
        first, last = (together.extras[name] for name in ("window_start", "window_end"))
        np.testing.assert_allclose(alone.extras["window_start"], first, atol=1e-4)
        place = np.arange(together.rows.shape[1])
        outside = (place < first[:, None]) | (place > last[:, None])
        assert outside.any() or len(place) < 10
        assert (together.rows[outside] == 0).all() and (together.rows.sum(1) < 1 + 1e-5).all()


def test_the_window_of_the_best_hypothesis_is_that_of_a_forced_decode(local: Session) -> None:
    searched = best(local, job(list(range(10, 25)), beam_size=5, max_length=12))[0]
    forced = best(local, job(list(range(10, 25)), beam_size=1, max_length=12, prefix=tuple(searched.ids)))[0]
    np.testing.assert_allclose(forced.extras["window_end"], searched.extras["window_end"], atol=1e-4)


def test_without_attention_there_is_an_answer_and_no_map_though_one_is_asked_for(none: Session) -> None:
    random = np.random.default_rng(8)
    jobs = [job(sentence(random, length), str(length), beam_size=4, max_length=12) for length in (3, 20, 9)]
    assert not none.manifest.attention and not none.manifest.memory
    for one, together in zip(jobs, best(none, *jobs), strict=True):
        (alone,) = best(none, one)
        assert together.rows is None and not together.extras
        assert list(alone.ids) == list(together.ids)
        np.testing.assert_allclose(alone.logprobs, together.logprobs, atol=1e-4)
