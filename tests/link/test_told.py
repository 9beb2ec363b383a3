"""A client that is told the same story twice hears it once, and where the second differs it hears how."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.link.told import Told
from service.messages import Job, Options, Tokens


def job(beam: int = 5, prefix: tuple[int, ...] = ()) -> Job:
    return Job("a", "b", {}, Options(beam_size=beam, stream=True, prefix=prefix))


def tokens(kept: int, *ids: int) -> Tokens:
    """Tokens whose numbers are functions of their ids, so that a wrong cut shows."""
    values = np.array(ids, np.float32)
    return Tokens("a", kept, list(ids), -values, values[:, None], {"gate": values / 2})


class Client:
    """Puts together what it is told."""

    def __init__(self) -> None:
        self.ids: list[int] = []

    def hear(self, one: Tokens | None) -> None:
        if one is None:
            return
        assert one.kept <= len(self.ids)
        self.ids[one.kept :] = one.ids
        values = np.array(one.ids, np.float32)
        assert one.rows is not None
        assert np.array_equal(one.logprobs, -values) and np.array_equal(one.rows, values[:, None])
        assert np.array_equal(one.extras["gate"], values / 2)


def run(told: Told, client: Client, *events: Tokens) -> list[Tokens | None]:
    heard = [told.hear(one) for one in events]
    for one in heard:
        client.hear(one)
    return heard


def test_a_first_run_is_passed_on_untouched() -> None:
    told, client = Told(job()), Client()
    events = [tokens(0, 1), tokens(1, 2, 3), tokens(1, 4)]
    assert run(told, client, *events) == events
    assert client.ids == [1, 4]


def test_the_same_again_is_swallowed_and_what_is_new_follows() -> None:
    told, client = Told(job()), Client()
    run(told, client, tokens(0, 1), tokens(1, 2), tokens(2, 3))
    told.restart()
    assert run(told, client, tokens(0, 1), tokens(1, 2), tokens(2, 3)) == [None] * 3
    (new,) = run(told, client, tokens(3, 4))
    assert new is not None and (new.kept, new.ids) == (3, [4])
    assert client.ids == [1, 2, 3, 4]


def test_a_piece_that_reaches_beyond_what_was_told_is_cut() -> None:
    told, client = Told(job()), Client()
    run(told, client, tokens(0, 1), tokens(1, 2))
    told.restart()
    heard = run(told, client, tokens(0, 1), tokens(1, 2, 3, 4))
    assert heard[0] is None and heard[1] is not None and (heard[1].kept, heard[1].ids) == (2, [3, 4])


def test_where_the_second_run_differs_it_is_a_revision() -> None:
    told, client = Told(job()), Client()
    run(told, client, tokens(0, 1), tokens(1, 2), tokens(2, 3))
    told.restart()
    heard = run(told, client, tokens(0, 1), tokens(1, 9), tokens(2, 3))
    assert client.ids == [1, 9, 3]
    assert heard[1] is not None and (heard[1].kept, heard[1].ids) == (1, [9])


def test_a_crash_while_the_second_run_catches_up_changes_nothing() -> None:
    told, client = Told(job()), Client()
    run(told, client, tokens(0, 1), tokens(1, 2), tokens(2, 3))
    told.restart()
    run(told, client, tokens(0, 1))
    told.restart()
    run(told, client, tokens(0, 1), tokens(1, 2), tokens(2, 3), tokens(3, 4))
    assert client.ids == [1, 2, 3, 4]


def test_greedy_search_is_made_to_begin_with_what_was_told_because_that_is_final() -> None:
    told, client = Told(job(beam=1, prefix=(7,))), Client()
    assert told.restart().options.prefix == (7,), "nothing was told yet"
    run(told, client, tokens(0, 7), tokens(1, 8))
    assert told.restart().options.prefix == (7, 8)
    beam = Told(job(beam=2))
    run(beam, client, tokens(0, 1))
    assert beam.restart().options.prefix == ()


Story = list[tuple[int, list[int]]]


def as_events(story: Story) -> tuple[list[Tokens], list[int]]:
    """A run's tokens, each a change to those before, and what they add up to."""
    said: list[int] = []
    events = []
    for kept, ids in story:
        kept = min(kept, len(said))  # noqa: PLW2901
        said[kept:] = ids
        events.append(tokens(kept, *ids))
    return events, said


stories = st.lists(st.tuples(st.integers(0, 6), st.lists(st.integers(1, 3), max_size=4)), max_size=8)


@given(first=stories, second=stories)
def test_whatever_both_runs_say_the_client_ends_with_the_second_or_is_ahead_of_it(first: Story, second: Story) -> None:
    told, client = Told(job()), Client()
    run(told, client, *as_events(first)[0])
    told.restart()
    events, said = as_events(second)
    run(told, client, *events)
    assert client.ids[: len(said)] == said
    more: Sequence[int] = [9] * (len(client.ids) + 1)
    run(told, client, tokens(len(said), *more))
    assert client.ids == [*said, *more], "once it says something new, both are level"


def test_a_told_story_is_not_shared_with_the_event() -> None:
    ids = [1, 2]
    told = Told(job())
    told.hear(Tokens("a", 0, ids, np.zeros(2)))
    ids.append(3)
    assert told.ids == [1, 2]
    with pytest.raises(AttributeError):
        told.job.id = "b"  # type: ignore[misc]
