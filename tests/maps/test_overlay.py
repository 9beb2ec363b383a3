"""Where the light falls on a picture: geometry, in the PNG itself. Knows nothing of words."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from service.maps import png
from service.maps.envelope import GridKeys
from service.maps.scene import Photo
from service.maps.sheet import sheet
from service.maps.spotlight import light
from service.maps.view import View
from tests.maps.examples import looking_at

LANDSCAPE, PORTRAIT = (900, 600), (500, 800)
WHOLE_LANDSCAPE, WHOLE_PORTRAIT = (0, 0, 900, 600), (0, 0, 500, 800)


def panels(view: View) -> tuple[np.ndarray, np.ndarray]:
    """The plain panel and the word's, cut out of the PNG, (height, width) from 0 to 255."""
    page = np.asarray(Image.open(io.BytesIO(png.render([view]))).convert("L"), np.float64)
    plain, word = [mark for mark in sheet([view]).marks if isinstance(mark, Photo) and mark.image.mode == "RGB"]
    cuts = []
    for mark in (plain, word):
        left, top, wide, high = (round(png.SHARP * side) for side in (mark.x, mark.y, mark.width, mark.height))
        cuts.append(page[top : top + high, left : left + wide])
    return cuts[0], cuts[1]


def brightest(view: View) -> tuple[float, float]:
    """The middle of the brightest pixels of the word's panel, in pixels of the picture as sent."""
    assert view.picture is not None
    _, panel = panels(view)
    ys, xs = np.nonzero(panel >= panel.max() - 0.5)
    scale_x, scale_y = view.picture.width / panel.shape[1], view.picture.height / panel.shape[0]
    return (float(xs.mean()) + 0.5) * scale_x, (float(ys.mean()) + 0.5) * scale_y


@pytest.mark.parametrize(
    ("size", "crop"),
    [
        (LANDSCAPE, WHOLE_LANDSCAPE),
        (LANDSCAPE, (150, 0, 750, 600)),
        (LANDSCAPE, (300, 200, 900, 500)),
        (PORTRAIT, WHOLE_PORTRAIT),
        (PORTRAIT, (0, 150, 500, 650)),
    ],
)
@pytest.mark.parametrize("cell", [(0, 0), (1, 4), (2, 1), (3, 5)])
def test_the_light_falls_within_half_a_cell_of_the_cell_that_holds_all_weight(
    cell: tuple[int, int], size: tuple[int, int], crop: tuple[int, int, int, int]
):
    x, y = brightest(looking_at(cell[0], cell[1], size, crop))
    wide, high = (crop[2] - crop[0]) / 6, (crop[3] - crop[1]) / 4
    assert abs(x - (crop[0] + (cell[1] + 0.5) * wide)) <= wide / 2
    assert abs(y - (crop[1] + (cell[0] + 0.5) * high)) <= high / 2


def test_outside_the_crop_nothing_is_lit():
    _, panel = panels(looking_at(0, 0, LANDSCAPE, (450, 0, 900, 600)))
    assert panel[:, : panel.shape[1] // 2 - 4].max() < 60
    assert panel.max() > 140


def test_the_first_panel_is_the_picture_as_sent():
    plain, _ = panels(looking_at(1, 1, LANDSCAPE, WHOLE_LANDSCAPE))
    assert abs(float(np.median(plain)) - 150) <= 2


def test_light_is_smooth_never_negative_and_even_where_weights_are_even():
    grid = GridKeys.model_validate({"rows": 4, "cols": 6, "image": {"width": 60, "height": 40}, "crop": (0, 0, 60, 40)})
    spot = np.eye(24, dtype=np.float32)[8]
    lit = light(spot, grid, 80, 120)
    assert lit.min() >= 0
    assert np.abs(np.diff(lit, axis=0)).max() < 0.12
    np.testing.assert_allclose(light(np.full(24, 1 / 24), grid, 80, 120), 1)
