"""Phases are laid out backwards from the moment when an answer came."""

from __future__ import annotations

from service.telemetry.journal import Journal, Phase


def test_an_engines_phases_end_where_the_next_begins() -> None:
    told = Journal()
    told.answered(2, {"queue": 1.0, "encode": 2.0, "decode": 4.0}, tokens=5, now=100.0)
    assert sorted(told.phases, key=lambda one: one.began) == [
        Phase("queue", 93.0, 94.0, 2),
        Phase("encode", 94.0, 96.0, 2),
        Phase("steps", 96.0, 100.0, 2),
    ]
    assert told.tokens == 5
