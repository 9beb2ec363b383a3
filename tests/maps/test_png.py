"""The drawing as PNG, read back with Pillow. Knows nothing of the other formats."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from service.maps import png
from service.maps.envelope import TextKeys
from service.maps.lettering import font, width
from service.maps.scene import Box, Words
from service.maps.sheet import MARGIN, sheet
from tests.maps.examples import MERGED, WHOLE, large, looking_at, translated


def test_png_is_a_picture_as_large_as_its_sheet():
    scene = sheet([translated()])
    picture = Image.open(io.BytesIO(png.render([translated()])))
    assert (picture.format, picture.size) == ("PNG", (round(2 * scene.width), round(2 * scene.height)))


@pytest.mark.parametrize("character", "äöüÄÖÜßéñçøłğžőαЖ„“«…–€")
def test_the_font_draws_the_letters_of_europe(character):
    missing = bytes(font(20).getmask("\uffff"))
    assert bytes(font(20).getmask(character)) != missing


def test_the_strongest_cell_of_the_png_is_the_darkest():
    page = np.asarray(Image.open(io.BytesIO(png.render([translated()]))).convert("L"), np.float64)
    cells = [mark for mark in sheet([translated()]).marks if isinstance(mark, Box) and mark.tip]
    shades = [page[round(2 * (c.y + c.height / 2)), round(2 * (c.x + c.width / 2))] for c in cells]
    by_weight = np.argsort(-np.array(MERGED).ravel(), kind="stable")
    assert np.argmin(shades) == by_weight[0] == 7
    assert list(np.diff(np.array(shades)[by_weight]) >= 0) == [True] * 9


def test_every_label_lies_on_the_sheet():
    scene = sheet([translated(), looking_at(1, 2, (90, 60), WHOLE)])
    for words in (mark for mark in scene.marks if isinstance(mark, Words)):
        assert 0 <= words.x <= scene.width
        assert 0 <= words.y <= scene.height


def test_a_long_last_word_leans_over_the_matrix_and_still_lies_on_the_sheet():
    view = large(2, 24)
    assert view.map is not None
    assert isinstance(view.map.keys, TextKeys)
    view.map.keys.items[-1].text = "Donaudampfschiff"
    scene = sheet([view])
    last = [mark for mark in scene.marks if isinstance(mark, Words) and mark.slanted][-1]
    assert last.x + width(last.text, last.size) * 0.7 <= scene.width - MARGIN
