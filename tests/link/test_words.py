"""Every word comes back as it was said, and every error as the class it was."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from service.errors import HeedError, Where, tree
from service.link.frames import BadFrame, Frames, pack
from service.link.words import (
    Ask,
    Beat,
    Broken,
    Cancel,
    Changed,
    Leaving,
    Load,
    Ready,
    Say,
    Unload,
    Word,
    heard,
    packed,
)
from service.messages import Done, Failed, Hypothesis, Job, Options, Tokens


def there_and_back(word: Word) -> Any:
    (back,) = heard(Frames(), packed(word))
    return back


def alike(one: Any, other: Any) -> None:
    """Equal, arrays and the fields of dataclasses included."""
    if dataclasses.is_dataclass(one):
        assert type(one) is type(other)
        for field in dataclasses.fields(one):
            alike(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            alike(one[name], other[name])
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and np.array_equal(one, other)
    elif isinstance(one, tuple):
        assert isinstance(other, tuple)
        for a, b in zip(one, other, strict=True):
            alike(a, b)
    else:
        assert one == other


def hypothesis(tokens: int, rows: bool = True, **extras: np.ndarray) -> Hypothesis:
    drawn = np.random.default_rng(tokens)
    weights = drawn.random((tokens, 2, 4, 7), np.float32) if rows else None
    ids = drawn.integers(0, 100, tokens).tolist()
    return Hypothesis(ids, drawn.random(tokens, np.float32), -1 / tokens, "stop", weights, extras)


WORDS = [
    Ask(3, Job("a", "b", {"source": np.arange(5), "pixels": np.ones((3, 2, 2), np.float32)})),
    Ask(2**40, Job("ü", "b", {}, Options(2, 2, 0.5, 9, (4, 5), False, deadline=1234.56789, stream=True), "owner")),
    Cancel(7),
    Beat(),
    Ready({"a@1": 2**40, "b@x.y": 0}),
    Load(3, "a@1", "zoo/a"),
    Unload(4, "a@1"),
    Changed(3, {"a@1": 5}),
    Changed(4, {}, "it is broken"),
    Leaving(),
    Broken("zoo/x/step.onnx", "is missing"),
    Say(
        1, Done("a", (hypothesis(4), hypothesis(3, False, gate=np.ones(3, np.float32))), {"queue": 0.1, "encode": 1e-9})
    ),
    Say(2, Done("nothing was found", (), {})),
    Say(3, Tokens("a", 5, [1, 2], np.array([-0.5, -1], np.float32), np.eye(2, dtype=np.float32), {})),
    Say(4, Tokens("a", 0, [], np.zeros(0, np.float32), None, {"gate": np.zeros(0, np.float32)})),
]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_comes_back_as_it_was_said(word) -> None:
    back = there_and_back(word)
    assert type(back) is type(word)
    alike(tuple(word), tuple(back))


@pytest.mark.parametrize("error", tree())
def test_an_error_comes_back_as_the_class_it_was_with_everything_it_says(error: type[HeedError]) -> None:
    said = error("why", limit=3, actual=4.5, retry_after=6, errors=(Where("/text", "is long"),))
    back = there_and_back(Say(1, Failed("a", said))).event.error
    assert type(back) is error
    assert vars(back) == vars(said)
    assert str(back) == "why"


def test_codes_are_unique_so_that_they_can_name_classes() -> None:
    codes = [error.code for error in tree()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"word": "Sing"},
        {"word": "Cancel"},
        {"word": "Cancel", "number": 1, "more": 2},
        {"word": ["Beat"]},
        {"word": "Ask", "number": 1, "job": {}, "options": {}},
        {"word": "Failed", "number": 1, "code": "x"},
    ],
    ids=str,
)
def test_what_is_no_word_is_refused(header) -> None:
    with pytest.raises(BadFrame):
        list(heard(Frames(), pack(header, {})))
