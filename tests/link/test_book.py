"""The book counts rows, finds the idlest worker, and clears the innocent."""

from __future__ import annotations

import numpy as np
import pytest

from service.link.book import Book, Entry
from service.messages import Job, Options


def job(rows: int = 5, model: str = "m") -> Job:
    return Job("a", model, {"source": np.arange(3)}, Options(beam_size=rows))


@pytest.fixture
def book() -> Book[str]:
    return Book(rows=10, attempts=3)


def given(book: Book[str], worker: str | None, *jobs: Job) -> list[Entry[str]]:
    entries = [book.enter(one) for one in jobs]
    for entry in entries:
        book.give(entry, worker)
    return entries


def test_rows_beyond_a_table_wait_and_those_without_a_worker_too(book) -> None:
    given(book, "one", job(5), job(5))
    assert book.waiting() == 0
    (third,) = given(book, "one", job(4))
    assert book.waiting() == 4
    given(book, "one", job(9, "another model"))
    given(book, "two", job(10))
    assert book.waiting() == 4, "each model has its table at each worker"
    given(book, None, job(3))
    assert book.waiting() == 7
    book.strike(third)
    assert book.waiting() == 3


def test_a_newcomer_would_wait_as_far_as_the_idlest_table_has_no_room(book) -> None:
    given(book, "one", job(8))
    given(book, "two", job(10))
    assert book.would_wait(job(5), ["one", "two"]) == 3
    assert book.would_wait(job(2), ["one", "two"]) == 0
    assert book.would_wait(job(5, "another model"), ["one", "two"]) == 0
    assert book.would_wait(job(5), ["two"]) == 5
    assert book.would_wait(job(5), []) == 5


def test_the_idlest_worker_is_the_one_with_the_least_rows(book) -> None:
    given(book, "one", job(5), job(5, "another model"))
    given(book, "two", job(6))
    assert book.idlest(["one", "two"]) == "two"
    assert book.idlest(["one"]) == "one"
    assert book.idlest([]) is None


def test_whoever_is_struck_leaves_nothing_behind(book) -> None:
    entries = [*given(book, "one", job(), job()), *given(book, None, job())]
    for entry in entries:
        book.strike(entry)
    assert not book.entries and not book.homeless and not book.load


def test_the_entries_of_a_dead_worker_are_homeless_oldest_first_and_marked(book) -> None:
    first, second = given(book, "one", job(), job())
    other = given(book, "two", job())[0]
    (waiting,) = given(book, None, job())
    book.give(first, "one")
    assert book.bereave("one", crashed=True) == [first, second]
    assert list(book.homeless.values()) == [first, second, waiting]
    assert (first.crashes, second.crashes, other.crashes, waiting.crashes) == (1, 1, 0, 0)
    assert book.next() == [first, second, waiting]


def test_who_was_asked_to_leave_leaves_no_mark(book) -> None:
    (entry,) = given(book, "one", job())
    book.bereave("one", crashed=False)
    assert entry.crashes == 0


def test_suspects_work_one_at_a_time_beside_the_others(book) -> None:
    one, two, three = given(book, "one", job(), job(), job())
    for worker in ("one", "two"):
        for entry in (one, two, three):
            book.give(entry, worker)
        book.bereave(worker, crashed=True)
    fresh = book.enter(job())
    assert book.next() == [one, fresh]
    book.give(one, "three")
    assert book.next() == [fresh]
    book.strike(one)
    assert book.next() == [two, fresh]


def test_with_one_attempt_nobody_is_suspected_before_the_first_crash() -> None:
    book: Book[str] = Book(rows=10, attempts=1)
    entries = [book.enter(job()) for _ in range(3)]
    assert book.next() == entries
