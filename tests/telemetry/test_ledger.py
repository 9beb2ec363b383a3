"""What workers count is added up, and never falls back."""

from __future__ import annotations

import numpy as np

from service.telemetry.figures import LEVELS, SIZE, Figures, Key
from service.telemetry.ledger import Ledger

MODEL: Key = ("m", "cpu")


def counted(number: float, level: float = 0.0, key: Key = MODEL) -> dict[Key, Figures]:
    return {key: Figures(np.full(SIZE, number), np.full(len(LEVELS), level))}


def told(ledger: Ledger[str], key: Key = MODEL) -> tuple[float, float]:
    counts, levels = ledger.figures()[key]
    assert len(set(counts)) == len(set(levels)) == 1
    return counts[0], levels[0]


def test_workers_are_added_up() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.hear("one", counted(3, 1))
    ledger.hear("two", counted(4, 2))
    ledger.hear("one", counted(5, 0))
    assert told(ledger) == (9, 2)


def test_what_a_dead_worker_counted_stays_and_its_guests_do_not() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.hear("one", counted(10, 5))
    ledger.forget("one")
    assert told(ledger) == (10, 0)
    ledger.hear("next", counted(1, 1))
    assert told(ledger) == (11, 1)


def test_who_counts_less_than_before_has_begun_anew() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.hear("one", counted(10))
    ledger.hear("one", counted(2))
    assert told(ledger) == (12, 0)


def test_models_and_devices_are_kept_apart() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.hear("one", counted(1) | counted(2, key=("n", "cpu")))
    ledger.hear("two", counted(3, key=("m", "cuda:0")))
    assert [told(ledger, key)[0] for key in (MODEL, ("n", "cpu"), ("m", "cuda:0"))] == [1, 2, 3]


def test_versions_of_a_model_are_one_and_stay_so_when_one_leaves() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.hear("one", counted(5, 1, key=("m@1", "cpu")))
    ledger.hear("one", counted(7, 1, key=("m@1", "cpu")) | counted(2, 3, key=("m@2", "cpu")))
    assert told(ledger) == (9, 4)
    ledger.hear("one", counted(3, 3, key=("m@2", "cpu")))
    assert told(ledger) == (10, 3)


def test_figures_that_were_handed_out_do_not_change_any_more() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.hear("one", counted(1))
    before = ledger.figures()[MODEL]
    ledger.hear("one", counted(5))
    assert before.counts[0] == 1
