"""What goes into the engine for a picture, and what of the picture is drawn."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bundle.manifest import BadBundle, Bundle
from bundle.text import EOS
from service.messages import Done, Hypothesis
from service.tasks.caption import CaptionRequest, encode, view
from service.tasks.contract import Bounds
from tests.fakes import GRID, captioner, tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(captioner(tmp_path_factory.mktemp("zoo")))


def half_white(width: int, height: int) -> bytes:
    """A PNG whose left half is white."""
    made, file = Image.new("RGB", (width, height)), io.BytesIO()
    made.paste((255, 255, 255), (0, 0, width // 2, height))
    made.save(file, "PNG")
    return file.getvalue()


def said(bundle: Bundle) -> Done:
    ids = [*bundle.text.ids("dark"), EOS]
    rows = np.full((len(ids), GRID[0] * GRID[1]), 0.125, np.float32)
    hypothesis = Hypothesis(
        ids=ids, logprobs=np.zeros(len(ids), np.float32), score=0.0, finish_reason="stop", rows=rows
    )
    return Done("job", (hypothesis,), {})


def test_the_picture_that_is_drawn_has_the_shape_and_the_colours_of_the_one_sent(bundle) -> None:
    asked = CaptionRequest(image=half_white(60, 30))
    (one,) = encode(asked, bundle, Bounds())
    picture = view(asked, bundle, one.kept, [said(bundle)]).picture
    assert picture is not None
    assert picture.size == (512, 256)
    assert picture.getpixel((20, 128)) == (255, 255, 255)
    assert picture.getpixel((490, 128)) == (0, 0, 0)


def test_no_picture_is_decoded_again_where_no_map_is_drawn(bundle) -> None:
    asked = CaptionRequest(image=half_white(60, 30), attention="none")
    (one,) = encode(asked, bundle, Bounds())
    assert view(asked, bundle, one.kept, [said(bundle)]).picture is None


def test_a_bundle_that_does_not_say_how_it_sees_is_bad(tmp_path) -> None:
    blind = Bundle(tiny_bundle(tmp_path, "blind", task="caption"))
    with pytest.raises(BadBundle, match="image"):
        encode(CaptionRequest(image=half_white(4, 4)), blind, Bounds())


def test_the_bytes_of_a_picture_are_not_in_its_representation() -> None:
    assert "PNG" not in repr(CaptionRequest(image=half_white(4, 4)))
