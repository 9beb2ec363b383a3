"""A cache a row: whatever beams do, each row has the entries of its own hypothesis, in order, and little is copied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import Bundle
from service.engine.loop import Loop
from service.engine.offline import served
from service.engine.row_caches import FEW, LEAST, RowCaches
from service.engine.search import DEAD, Choice
from service.engine.session import Session
from tests.engine.jobs import job, sentence

SHAPES = {"keys": (2, 3), "values": (2, 3)}
NONE = np.zeros(0, np.int64)


class Beams:
    """Guests whose beams cross at random, with what each row's cache has to hold."""

    def __init__(self, guests: int, width: int, seed: int = 1) -> None:
        self.caches = RowCaches(SHAPES, guests, width)
        self.caches.clear(0, guests)
        self.random, self.guests, self.width = np.random.default_rng(seed), guests, width
        self.held: list[list[list[float]]] = [[[] for _ in range(width)] for _ in range(guests)]
        self.alive = np.ones((guests, width), bool)

    def step(self) -> Choice:
        """Write an entry a row, as a step graph does, and let the beams cross."""
        said, width = self.caches.said, self.width
        marks = self.random.random((self.guests, width))
        for guest in range(self.guests):
            for row in range(width):
                for place, table in enumerate(self.caches.tables.values()):
                    table[guest * width + row, :, said[guest]] = marks[guest, row] + place
                self.held[guest][row] = [*self.held[guest][row], marks[guest, row]]
        alive = self.random.random((self.guests, width)) < 0.8
        alive[:, 0] = True
        parents = np.where(self.alive, np.arange(width), -1)
        parents = np.array([self.random.choice(row[row >= 0], width) for row in parents])
        scores = np.where(alive, self.random.random(alive.shape), DEAD).astype(np.float32)
        tokens = self.random.integers(4, 99, alive.shape)
        choice = self.caches.settled(Choice(scores, tokens, parents, NONE, NONE, NONE))
        assert sorted(zip(scores[alive], tokens[alive], parents[alive], strict=True)) == sorted(
            zip(*(one[choice.scores > DEAD] for one in (choice.scores, choice.tokens, choice.parents)), strict=True)
        )
        self.alive = choice.scores > DEAD
        self.caches.keep({f"{name}_out": table for name, table in self.caches.tables.items()})
        self.caches.turn(choice.parents, self.alive)
        self.held = [[held[p] for p in rows] for held, rows in zip(self.held, choice.parents, strict=True)]
        return choice

    def check(self) -> None:
        for guest, row in zip(*np.nonzero(self.alive), strict=True):
            expected = self.held[guest][row]
            for place, table in enumerate(self.caches.tables.values()):
                found = table[guest * self.width + row, :, : len(expected)]
                np.testing.assert_allclose(found, np.broadcast_to(np.array(expected)[:, None] + place, found.shape))


@pytest.mark.parametrize("width", [1, 2, 5])
def test_each_row_has_the_entries_of_its_own_hypothesis(width: int) -> None:
    beams = Beams(3, width)
    for _ in range(LEAST + 20):  # further than there is room for at first
        beams.step()
        beams.check()


def test_what_goes_on_stays_in_its_row_and_the_rest_is_copied_from_where_it_parts(monkeypatch) -> None:
    beams, copied = Beams(2, 5), []
    copy = RowCaches._copy

    def counted(self: RowCaches, sources: np.ndarray, targets: np.ndarray, ends: np.ndarray) -> None:
        starts = (self.paths[sources] != self.paths[targets]).argmax(1)
        copied.append((len(sources), int((ends - starts).sum())))
        assert not set(sources.tolist()) & set(targets.tolist())
        copy(self, sources, targets, ends)

    monkeypatch.setattr(RowCaches, "_copy", counted)
    for _ in range(30):
        choice = beams.step()
        families = sum(len(set(row[live])) for row, live in zip(choice.parents, choice.scores > DEAD, strict=True))
        moved = ((choice.parents != np.arange(5)) & (choice.scores > DEAD)).sum()
        assert moved == (choice.scores > DEAD).sum() - families, "one child of each parent stays"
    rows, entries = np.sum(copied, 0)
    assert 0 < entries < rows * 15 / 2, "most of what rows share was not copied"


def test_who_moves_takes_all_rows_along_and_who_sits_down_begins_with_nothing() -> None:
    beams = Beams(3, 2)
    for _ in range(7):
        beams.step()
    beams.caches.move(2, 0)
    beams.held[0], beams.alive[0] = list(beams.held[2]), beams.alive[2]
    beams.check()
    beams.caches.clear(1, 2)
    beams.held[1], beams.alive[1] = [[], []], np.array([True, False])
    assert beams.caches.feeds(3)["entries"].tolist() == [7, 7, 0, 0, 7, 7]
    assert beams.caches.feeds(3)["most"] == 8
    for _ in range(3):
        beams.step()
        beams.check()


def test_room_is_given_back_when_the_long_ones_are_gone() -> None:
    beams = Beams(2, 2)
    beams.caches.clear(1, 2)
    beams.caches.said[0] = LEAST * 3
    beams.caches._resize(2, LEAST * 4)
    beams.caches.shrink(2)
    assert beams.caches.room == LEAST * 4
    beams.caches.said[0] = 3
    beams.caches.shrink(2)
    assert beams.caches.room == LEAST * 2


def test_there_are_tables_for_those_who_sit_and_they_are_given_back() -> None:
    caches = RowCaches(SHAPES, 100, 2)
    assert caches.all.shape[1] == FEW * 2
    caches.said[0] = 9
    caches.all[:, 0] = 3
    caches.clear(1, 30)
    assert 30 <= caches.places <= 60 and (caches.all[:, 0] == 3).all() and not caches.all[:, 2:].any()
    caches.clear(30, 100)
    assert caches.places == 100
    caches.shrink(100)
    assert caches.places == 100
    for guests in (20, 10, 5, 1, 0, 0):
        caches.shrink(guests)
        assert guests <= caches.places <= 50
    assert caches.places == FEW


def test_of_variants_all_begin_their_next_step_with_what_the_first_one_said() -> None:
    caches = RowCaches(SHAPES, 4, 1)
    caches.clear(0, 4)
    caches.said[:] = [3, 3, 5, 5]  # two guests of two variants
    for place, table in enumerate(caches.tables.values()):
        table[[0, 1, 2, 3], :, [3, 3, 5, 5]] = np.arange(4)[:, None, None] + place
    caches.keep({f"{name}_out": table for name, table in caches.tables.items()}, every=2)
    for place, table in enumerate(caches.tables.values()):
        assert (table[[0, 1], :, 3] == place).all()
        assert (table[[2, 3], :, 5] == 2 + place).all()


def test_what_a_graph_wrote_elsewhere_is_taken_over() -> None:
    caches = RowCaches(SHAPES, 2, 2)
    given = {f"{name}_out": np.full((2, 2, LEAST, 3), 7, np.float32) for name in SHAPES}
    caches.keep(given)
    for table in caches.tables.values():
        assert (table[:2] == 7).all() and not table[2:].any()


def test_a_table_that_empties_and_fills_again_keeps_its_size(toys: Path, monkeypatch) -> None:
    random, changes, resize = np.random.default_rng(5), [], RowCaches._resize

    def counted(self: RowCaches, places: int, room: int) -> None:
        changes.append(places)
        resize(self, places, room)

    monkeypatch.setattr(RowCaches, "_resize", counted)
    session = Session(Bundle(toys / "toy-transformer"), precision="fp32")
    loop = Loop(session, "kept", rows=60, newcomers=12, queue=0)
    jobs = [job(sentence(random, 5), str(i), beam_size=5, max_length=9) for i in range(12)]
    first = served(loop, jobs)
    assert changes, "twelve guests want more than what is there at first"
    changes.clear()
    again = served(loop, jobs)
    assert not changes
    assert [list(one.hypotheses[0].ids) for one in again] == [list(one.hypotheses[0].ids) for one in first]
