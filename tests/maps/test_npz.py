"""The arrays. Knows nothing of the other formats."""

from __future__ import annotations

import io

import numpy as np

from service.maps import npz
from tests.maps.examples import ANSWER, EVERY_KIND, MERGED


def test_npz_loads_without_pickle_and_holds_weights_and_labels():
    arrays = np.load(io.BytesIO(npz.render(EVERY_KIND["both"])), allow_pickle=False)
    np.testing.assert_allclose(arrays["weights_0"], MERGED, atol=1e-6)
    assert arrays["queries_0"].tolist() == ["Häuser", "brennen"]
    assert arrays["keys_0"].tolist() == ["The", "houses", "burn", ".", "</s>"]
    assert arrays["query_spans_0"].tolist() == [[0, 6], [7, 14]]
    assert (arrays["grid_1"].tolist(), arrays["image_1"].tolist()) == ([4, 6], [90, 60])
    assert (arrays["crop_1"].tolist(), arrays["gate_1"].tolist()) == ([0, 0, 90, 60], [0.75])
    assert arrays["answers"].tolist() == [ANSWER, "dog"]
