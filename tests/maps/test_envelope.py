"""The envelope on the wire. Knows nothing of drawing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from service.maps.envelope import AttentionMap
from tests.maps.examples import MERGED, looking_at, translation


def test_weights_are_written_with_four_decimals():
    assert json.loads(translation().model_dump_json())["weights"] == MERGED
    thirds = translation().model_copy(update={"weights": np.full((2, 5), 1 / 3, np.float32)})
    assert json.loads(thirds.model_dump_json())["weights"] == [[0.3333] * 5] * 2


def test_u8_writes_bytes_and_says_so():
    wire = json.loads(translation().model_dump_json(context={"encoding": "u8"}))
    assert wire["encoding"] == "u8"
    assert wire["weights"] == [[26, 153, 13, 38, 26], [0, 26, 178, 0, 51]]


@pytest.mark.parametrize(("encoding", "near"), [("float", 1e-4), ("u8", 0.5 / 255 + 1e-6)])
def test_what_is_written_can_be_read_again(encoding, near):
    again = AttentionMap.model_validate_json(translation().model_dump_json(context={"encoding": encoding}))
    np.testing.assert_allclose(again.array(), MERGED, atol=near)
    assert again.queries == translation().queries


def test_a_picture_says_its_size_its_crop_and_its_gate():
    map_ = looking_at(1, 2, (640, 480), (80, 0, 560, 480)).map
    assert map_ is not None
    wire = json.loads(map_.model_dump_json())
    assert wire["keys"] == {
        "type": "grid",
        "rows": 4,
        "cols": 6,
        "image": {"width": 640, "height": 480},
        "crop": [80, 0, 560, 480],
    }
    assert wire["gate"] == [0.75]


def test_weights_that_do_not_fit_their_labels_are_refused():
    wire = json.loads(translation().model_dump_json())
    wire["weights"] = np.array(wire["weights"]).T.tolist()
    with pytest.raises(ValidationError, match="do not fit"):
        AttentionMap.model_validate(wire)


def test_the_schema_says_that_weights_are_rows_of_numbers():
    weights = AttentionMap.model_json_schema(mode="serialization")["properties"]["weights"]
    assert weights["items"]["items"] == {"type": "number"}
