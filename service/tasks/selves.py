"""The self-attention of an answer that was asked for in full: a map of each layer and head of both stacks.

Knows nothing of HTTP or engines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundle.text import Piece
from service.maps.envelope import AttentionMap
from service.maps.offsets import counted
from service.maps.selves import decoder_map, encoder_map
from service.maps.words import Answer as Said
from service.messages import SELVES, Hypothesis
from service.tasks.contract import Asked


def own_maps(
    asked: Asked, text: str, pieces: Sequence[Piece], said: Said, hypothesis: Hypothesis
) -> list[AttentionMap]:
    """Those of the encoder, then those of the decoder; none where the engine told none."""
    if asked.attention != "full":
        return []
    nothing = np.zeros((0, 0, 0, 0))
    encoder, decoder = (hypothesis.extras.get(name, nothing) for name in SELVES)
    maps = [
        counted(
            encoder_map(text, pieces, encoder[layer, head], unit=asked.unit, layer=layer, head=head),
            asked.offsets,
            answer=text,
            source=text,
        )
        for layer, head in np.ndindex(*encoder.shape[:2])
    ]
    return maps + [
        counted(
            decoder_map(said, decoder[layer, head], unit=asked.unit, layer=layer, head=head),
            asked.offsets,
            answer=said.text,
            source=said.text,
        )
        for layer, head in np.ndindex(*decoder.shape[:2])
    ]
