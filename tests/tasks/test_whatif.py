"""Constraints in the units of a map: which positions and steps they are, and what differs between two runs."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.manifest import Bundle
from bundle.text import EOS, UNK
from service.errors import Meaningless
from service.messages import Done, Hypothesis, Job
from service.tasks.contract import Bounds, Constraints, Searched, options
from service.tasks.spoken import Spoken
from service.tasks.translate import TranslateRequest, encode
from service.tasks.whatif import Run, difference
from tests.fakes import tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(tiny_bundle(tmp_path_factory.mktemp("zoo"), "tiny"))


def done(bundle: Bundle, text: str) -> Done:
    ids = [*bundle.text.ids(text), EOS]
    return Done("job", (Hypothesis(ids, np.zeros(len(ids), np.float32), 0.0, "stop"),), {})


def course(bundle: Bundle, said: str, **fields) -> tuple[Job, Job]:
    """Both jobs of a request; `said` is what the first one says."""
    (one,) = encode(TranslateRequest(**{"text": "a strange house", **fields}), bundle, Bounds())
    then = one.then([done(bundle, said)])
    assert then is not None
    assert one.then([done(bundle, said)] * 2) is None
    return one.job, then


def pieces_of(bundle: Bundle, text: str, word: int) -> list[int]:
    groups: list[list[int]] = []
    for i, piece in enumerate(bundle.text.pieces(text)):
        if piece.opens:
            groups.append([])
        groups[-1].append(i)
    return groups[word]


def test_a_word_is_all_its_pieces_on_both_sides(bundle) -> None:
    key, steps = pieces_of(bundle, "a strange house", 1), pieces_of(bundle, "das Segelboot steht", 1)
    assert len(key) > 1 and len(steps) > 1
    _, bound = course(bundle, "das Segelboot steht", constraints={"pin": [[1, 1]], "mask": [0]})
    assert bound.options.pin == tuple((step, tuple(key)) for step in steps)
    assert bound.options.mask == (0,)


def test_pieces_are_counted_where_the_map_shows_pieces(bundle) -> None:
    _, bound = course(bundle, "das Segelboot steht", unit="piece", constraints={"pin": [[1, 2], [1, 0]], "mask": [3]})
    assert bound.options.pin == ((1, (0, 2)),)
    assert bound.options.mask == (3,)


def unheeded(bundle: Bundle, asked: Job, text: str) -> Done:
    """Said without a look at anything but the end of the source: what is kept takes no word's place."""
    ids = [*bundle.text.ids(text), EOS]
    rows = np.zeros((len(ids), len(asked.inputs["source"])), np.float32)
    rows[:, -1] = 1
    return Done("job", (Hypothesis(ids, np.zeros(len(ids), np.float32), 0.0, "stop", rows),), {})


def test_pins_count_what_was_put_into_the_answer(bundle) -> None:
    asked = TranslateRequest(text="{name} strange house", constraints=Constraints(pin=[(2, 1)]))
    (one,) = encode(asked, bundle, Bounds())
    said = unheeded(bundle, one.job, "das Segelboot steht")
    assert Spoken(asked, bundle, one.kept, said.hypotheses[0]).text == "{name} das Segelboot steht"
    then = one.then([said])
    assert then is not None
    assert [step for step, _ in then.options.pin] == pieces_of(bundle, "das Segelboot steht", 1)
    kept = asked.model_copy(update={"constraints": Constraints(pin=[(0, 1)])})
    (one,) = encode(kept, bundle, Bounds())
    with pytest.raises(Meaningless) as refused:
        one.then([said])
    assert refused.value.errors[0].pointer == "/constraints/pin/0/0"


def test_the_end_of_the_source_is_a_key_too(bundle) -> None:
    _, bound = course(bundle, "das", constraints={"mask": [3]})
    assert bound.options.mask == (len(bundle.text.ids("a strange house")),)


def test_the_first_run_is_free_of_constraints_and_of_all_that_only_the_answer_needs(bundle) -> None:
    wishes = {"trust": "measured", "alternatives": 3, "n_best": 2, "stream": True, "prefix": "das"}
    plain, bound = course(bundle, "das", constraints={"mask": [0]}, **wishes)
    assert (plain.options.mask, plain.options.trials, plain.options.alternatives) == ((), False, 0)
    assert (plain.options.n_best, plain.options.stream) == (1, False)
    assert plain.options.prefix == bound.options.prefix == tuple(bundle.text.ids("das"))
    assert (bound.options.trials, bound.options.alternatives, bound.options.stream) == (True, 3, True)
    assert plain.id != bound.id


def test_a_prefix_is_compared_with_no_prefix(bundle) -> None:
    plain, bound = course(bundle, "das", prefix="ein", compare=True)
    assert plain.options.prefix == ()
    assert bound.options.prefix == tuple(bundle.text.ids("ein"))


def test_a_prefix_alone_is_one_job(bundle) -> None:
    (one,) = encode(TranslateRequest(text="a house", prefix="ein"), bundle, Bounds())
    assert one.then([done(bundle, "ein")]) is None


@pytest.mark.parametrize(
    ("constraints", "pointer"),
    [
        ({"mask": [4]}, "/constraints/mask/0"),
        ({"mask": [0, -1]}, "/constraints/mask/1"),
        ({"mask": [0, 1, 2, 3]}, "/constraints/mask"),
        ({"pin": [[0, 0], [0, 9]]}, "/constraints/pin/1/1"),
    ],
)
def test_what_cannot_be_is_refused_before_any_queue(bundle, constraints, pointer) -> None:
    with pytest.raises(Meaningless) as refused:
        encode(TranslateRequest(text="a strange house", constraints=constraints), bundle, Bounds())
    assert [where.pointer for where in refused.value.errors] == [pointer]


def test_a_pin_of_a_word_that_the_answer_has_not_is_refused_when_that_is_known(bundle) -> None:
    with pytest.raises(Meaningless) as refused:
        course(bundle, "das Haus", constraints={"pin": [[2, 0]]})
    assert [where.pointer for where in refused.value.errors] == ["/constraints/pin/0/0"]


def test_constraints_are_about_one_text(bundle) -> None:
    with pytest.raises(Meaningless, match="text"):
        encode(TranslateRequest(text=["a", "b"], constraints={"mask": [0]}), bundle, Bounds())


def test_constraints_may_come_as_text_in_a_form() -> None:
    asked = Searched.model_validate({"constraints": '{"pin": [[0, 3]], "mask": [1]}'})
    assert asked.constraints == Constraints(pin=[(0, 3)], mask=[1])


@pytest.mark.parametrize("prefix", [[1, 4], [3], [-5], [100_000], "日本"])
def test_a_prefix_that_is_never_said_is_refused(bundle, prefix) -> None:
    with pytest.raises(Meaningless) as refused:
        options(Searched(prefix=prefix), bundle, Bounds(), rows=True)
    assert refused.value.errors[0].pointer == "/prefix"


def test_a_prefix_in_capitals_is_taken_small_by_a_model_that_has_none(bundle) -> None:
    assert UNK in bundle.text.ids("THE HOUSE")
    assert options(Searched(prefix="THE HOUSE"), bundle, Bounds(), rows=True).prefix == tuple(
        bundle.text.ids("the house")
    )


def test_a_prefix_of_ids_is_taken_as_it_is(bundle) -> None:
    assert options(Searched(prefix=[7, 9, 11]), bundle, Bounds(), rows=True).prefix == (7, 9, 11)


def test_a_difference_is_worded_and_measured_row_by_row() -> None:
    before = Run(["the", "old", "dog", "."], -1.0, np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32))
    after = Run(["the", "dog", "barks", "."], -1.5, np.array([[1, 0], [0.5, 0.5], [1, 0], [1, 0]], np.float32))
    found = difference(before, after)
    assert [(edit.was, edit.became) for edit in found.changed] == [("old", ""), ("", "barks")]
    assert [(edit.before, edit.after) for edit in found.changed] == [((1, 2), (1, 1)), ((3, 3), (2, 3))]
    assert found.score == -0.5
    assert found.rows == [0, 0.5, None, 1]
    assert difference(before._replace(weights=None), after).rows is None
