"""What all tasks share: bounds, and which of a model's maps is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bundle.graphs import AttentionOutput
from bundle.manifest import Bundle
from service.errors import Meaningless
from service.maps.envelope import AttentionMap, Head, Item, Query, TextKeys
from service.messages import Hypothesis
from service.tasks.contract import Bounds, Searched, options
from service.tasks.mapped import best_map, drawn, every_map, hardened
from tests.fakes import tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(tiny_bundle(tmp_path_factory.mktemp("zoo"), "tiny"))


@pytest.fixture
def many(bundle: Bundle, monkeypatch) -> Bundle:
    """The bundle of a model with 2 layers of 3 heads, that shows layer 1, head 2."""
    shown = AttentionOutput(name="a", kind="cross", layers=2, heads=3, default_layer=1, default_head=2)
    monkeypatch.setattr(bundle, "manifest", bundle.manifest.model_copy(update={"attention": (shown,)}))
    return bundle


def label(rows: np.ndarray, layer: int, head: Head) -> AttentionMap:
    queries = [Query(i=i, text="q", start=0, end=1) for i in range(rows.shape[0])]
    keys = TextKeys(items=[Item(i=i, text="k", start=0, end=1) for i in range(rows.shape[1])])
    return AttentionMap(kind="cross", layer=layer, head=head, queries=queries, keys=keys, weights=rows)


ROWS = np.random.default_rng(7).dirichlet(np.ones(5), size=(3, 2, 3)).astype(np.float32)  # (T, layers, heads, S)


def test_the_layer_and_head_of_the_manifest_are_shown(many) -> None:
    shown = best_map(ROWS, many, label)
    assert (shown.layer, shown.head) == (1, 2)
    assert np.array_equal(shown.weights, ROWS[:, 1, 2])


def test_the_mean_of_heads_is_shown_where_the_manifest_says_so(many, monkeypatch) -> None:
    output = many.manifest.attention[0].model_copy(update={"default_head": "mean"})
    monkeypatch.setattr(many, "manifest", many.manifest.model_copy(update={"attention": (output,)}))
    shown = best_map(ROWS, many, label)
    assert shown.head == "mean"
    assert np.allclose(shown.weights, ROWS[:, 1].mean(axis=1))
    assert np.allclose(shown.weights.sum(axis=1), 1)


def test_every_map_is_every_layer_and_head_once(many) -> None:
    maps = every_map(ROWS, label)
    assert [(one.layer, one.head) for one in maps] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    wanted = [ROWS[:, layer, head] for layer in range(2) for head in range(3)]
    assert all(np.array_equal(one.weights, rows) for one, rows in zip(maps, wanted, strict=True))


def test_a_hard_map_keeps_the_strongest_key_of_each_row() -> None:
    soft = label(np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], np.float32), 0, 0)
    assert hardened(soft).weights.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_an_empty_answer_has_a_hard_map_too() -> None:
    assert hardened(label(np.zeros((0, 3), np.float32), 0, 0)).weights.shape == (0, 3)


def test_nothing_is_drawn_where_none_was_asked_for(many) -> None:
    said = Hypothesis(ids=[5, 6, 3], logprobs=np.zeros(3), score=0.0, finish_reason="stop", rows=ROWS)
    assert drawn(Searched(attention="none"), many, said, label) is None
    assert drawn(Searched(), many, replace(said, rows=None), label) is None
    assert drawn(Searched(), many, said, label) is not None


@pytest.mark.parametrize(
    ("asked", "length"), [({}, 30), ({"max_length": 7}, 7), ({"max_length": 10_000}, 30)], ids=["unset", "less", "more"]
)
def test_the_models_own_limit_holds_below_what_is_asked(bundle, asked, length) -> None:
    assert options(Searched(**asked), bundle, Bounds(length=99), rows=True).max_length == length


def test_the_services_limit_holds_below_the_models(bundle) -> None:
    assert options(Searched(), bundle, Bounds(length=9), rows=True).max_length == 9


def test_more_hypotheses_than_rows_of_the_beam_are_refused(bundle) -> None:
    with pytest.raises(Meaningless) as refused:
        options(Searched(beam_size=2, n_best=3), bundle, Bounds(), rows=True)
    assert (refused.value.limit, refused.value.actual) == (2, 3)


def test_a_prefix_must_leave_room_for_the_end(bundle) -> None:
    pieces = len(bundle.text.ids("the house"))
    fits = Searched(prefix="the house", max_length=pieces + 1)
    assert len(options(fits, bundle, Bounds(), rows=True).prefix) == pieces
    with pytest.raises(Meaningless, match="prefix"):
        options(Searched(prefix="the house", max_length=pieces), bundle, Bounds(), rows=True)
