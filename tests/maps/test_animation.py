"""Maps that move: a picture a word, in which nothing is there before it is said."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from service.maps.animation import LAST_MS, MOST_FRAMES, WORD_MS
from service.maps.formats import FORMATS
from service.maps.view import View
from tests.maps.examples import ANSWER, EVERY_KIND, WHOLE, large, looking_at, translated

KINDS = {"image/webp": "WEBP", "image/gif": "GIF"}


def frames(media: str, views: list[View]) -> list[np.ndarray]:
    file = Image.open(io.BytesIO(FORMATS[media].render(views)))
    assert file.format == KINDS[media]
    found = []
    for i in range(getattr(file, "n_frames", 1)):
        file.seek(i)
        found.append(np.asarray(file.convert("RGB")).astype(int))
    return found


@pytest.mark.parametrize("media", KINDS)
def test_a_translation_has_a_picture_a_word_and_the_last_stays_longest(media: str) -> None:
    file = Image.open(io.BytesIO(FORMATS[media].render([translated()])))
    assert (getattr(file, "n_frames", 1), file.info["loop"]) == (2, 0)
    times = []
    for i in range(2):
        file.seek(i)
        file.load()
        times.append(file.info["duration"])
    assert times == [WORD_MS, LAST_MS]


@pytest.mark.parametrize("media", KINDS)
def test_the_rows_of_words_that_are_not_said_yet_are_empty(media: str) -> None:
    first, last = frames(media, [translated()])
    assert first.shape == last.shape
    changed = np.argwhere(np.abs(first - last).max(-1) > 60)
    assert len(changed)
    half = first[changed[:, 0].max() - 20 : changed[:, 0].max(), : first.shape[1] // 2]
    assert half.min() > 235  # paper


def test_the_light_is_where_the_word_looked() -> None:
    up, down = (frames("image/webp", [looking_at(row, 1, (90, 60), WHOLE)])[0] for row in (0, 3))
    stage = slice(90, 400)
    assert up[stage, 100:250].mean(-1)[:100].mean() > down[stage, 100:250].mean(-1)[:100].mean() + 30


@pytest.mark.parametrize("media", KINDS)
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_of_answer_moves_or_stands_still(media: str, kind: str) -> None:
    assert frames(media, EVERY_KIND[kind])


def test_answers_follow_one_another_on_one_canvas() -> None:
    found = frames("image/webp", [translated(), View("m", ANSWER), looking_at(1, 1, (90, 60), WHOLE)])
    assert len(found) == 2 + 1 + 1
    assert len({one.shape for one in found}) == 1


def test_a_long_answer_is_cut_and_drawn_smaller() -> None:
    found = frames("image/webp", [large(100, 30)])
    assert len(found) == MOST_FRAMES
    assert sum(one.shape[0] * one.shape[1] for one in found) < 11_000_000
