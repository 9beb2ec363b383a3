"""The formats together: each draws everything, within bounds. Knows nothing of HTTP."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from service.maps import png
from service.maps.formats import FORMATS
from service.maps.offsets import counted
from service.maps.view import View
from tests.maps.examples import ANSWER, EVERY_KIND, SOURCE, large, translation


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("media_type", FORMATS)
def test_every_format_draws_every_kind_of_answer(media_type, kind):
    assert FORMATS[media_type].render(EVERY_KIND[kind])


def test_formats_are_known_by_their_media_types_and_json_is_not_ours():
    assert {kind: form.extension for kind, form in FORMATS.items()} == {
        "text/plain": "txt",
        "image/svg+xml": "svg",
        "image/png": "png",
        "image/webp": "webp",
        "image/gif": "gif",
        "text/html": "html",
        "application/x-npz": "npz",
    }


def test_a_map_in_other_offsets_is_not_drawn_silently_wrong():
    with pytest.raises(ValueError, match="utf16"):
        View("m", ANSWER, source=SOURCE, map=counted(translation(), "utf16", answer=ANSWER, source=SOURCE))


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "image/png", "text/plain"])
def test_the_largest_map_stays_a_small_file(media_type):
    assert len(FORMATS[media_type].render([large(200, 200)])) < 3_000_000


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "text/plain"])
def test_what_is_not_drawn_is_said(media_type):
    page = FORMATS[media_type].render([large(203, 201)]).decode()
    assert "not drawn: 3 more answer words, 1 more source words" in page


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "text/plain"])
def test_many_answers_are_drawn_up_to_a_bound_and_counted_beyond(media_type):
    assert "not drawn: 8 more answers" in FORMATS[media_type].render([View("m", "so")] * 40).decode()
    assert "not drawn: 3 more answers" in FORMATS[media_type].render([large(180, 180)] * 6).decode()


def test_a_png_has_a_bound_of_pixels():
    picture = Image.open(io.BytesIO(png.render([large(200, 200)] * 2)))
    assert picture.width * picture.height <= png.MOST_PIXELS * 1.01
