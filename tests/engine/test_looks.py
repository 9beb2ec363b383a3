"""Masked and pinned attention: for the guest who asks, at the step it says, and for nobody else."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.text import EOS
from service.engine.session import Session
from tests.engine.jobs import best, job, sentence
from tests.engine.test_neighbours import same


def test_a_pinned_step_of_the_echo_says_the_piece_it_was_made_to_look_at(echo: Session) -> None:
    found = best(echo, job([10, 11, 12, 13], beam_size=3, pin=((1, (3,)),)))[0]
    assert list(found.ids) == [10, 13, 12, 13, EOS]
    assert found.rows is not None
    np.testing.assert_array_equal(found.rows.argmax(1), [0, 3, 2, 3, 4])


def test_a_masked_position_is_looked_at_by_no_step(net: Session) -> None:
    random = np.random.default_rng(1)
    ids = sentence(random, 9)
    free, masked = best(net, job(ids, "free", beam_size=3), job(ids, "masked", beam_size=3, mask=(2, 5)))
    assert free.rows is not None and masked.rows is not None
    assert (free.rows[:, [2, 5]] > 0).all()
    assert (masked.rows[:, [2, 5]] == 0).all()
    np.testing.assert_allclose(masked.rows.sum(1), 1, atol=1e-5)


def test_a_pin_may_name_several_positions_and_one_that_is_masked_elsewhere(net: Session) -> None:
    found = best(net, job([9, 8, 7, 6], mask=(1,), pin=((0, (1, 2)), (2, (3,)))))[0]
    assert found.rows is not None
    np.testing.assert_allclose(found.rows[0, [1, 2]].sum(), 1, atol=1e-5)
    assert found.rows[2, 3] == 1
    assert found.rows[1, 1] == 0


@pytest.mark.parametrize("beam", [1, 3])
def test_masking_positions_beyond_the_input_changes_nothing(net: Session, beam: int) -> None:
    guest, long = sentence(np.random.default_rng(2), 5), sentence(np.random.default_rng(3), 30)
    padded = best(net, job(guest, beam_size=beam, mask=(6, 7, 30, 500)), job(long, "long", beam_size=beam))[0]
    same(padded, best(net, job(guest, beam_size=beam))[0])


@pytest.mark.parametrize("beam", [1, 3])
def test_a_guest_who_pins_and_masks_changes_nothing_for_its_neighbours(net: Session, beam: int) -> None:
    random = np.random.default_rng(4)
    texts = [sentence(random, 4 + i) for i in range(6)]
    pins = tuple((step, (step % 4,)) for step in range(1, 30, 2))
    bound = job(texts[2], "bound", beam_size=beam, mask=(0,), pin=pins)
    jobs = [bound if i == 2 else job(text, str(i), beam_size=beam) for i, text in enumerate(texts)]
    found = best(net, *jobs, rows=4 * beam, newcomers=2)  # too few seats for all: places are moved into
    for i, text in enumerate(texts):
        same(found[i], best(net, bound if i == 2 else job(text, beam_size=beam))[0])
