"""The scale that all drawings share. Knows nothing of drawings."""

from __future__ import annotations

import numpy as np
import pytest

from service.maps.colours import DARK, LEVELS, LIGHT, hexed, is_dark, level, rgb


@pytest.mark.parametrize(("anchors", "direction"), [(LIGHT, -1), (DARK, 1)])
def test_more_weight_is_always_darker_or_on_a_dark_page_always_lighter(anchors, direction):
    luma = rgb(np.linspace(0, 1, LEVELS + 1), anchors) @ [0.299, 0.587, 0.114]
    assert (direction * np.diff(luma) > 3).all()


def test_weights_beyond_the_scale_get_its_ends():
    assert (hexed(-1), hexed(7), level(-1), level(7)) == (hexed(0), hexed(1), 0, LEVELS)


def test_letters_are_white_on_the_dark_end_and_ink_on_the_pale_one():
    assert is_dark(hexed(1))
    assert not is_dark(hexed(0))
