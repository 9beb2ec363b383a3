"""Maps of a text over itself: where each word of the source, or of the answer, looked among its own.

Vaswani et al. 2017, §3.2.3. Knows nothing of vocabularies, engines or drawing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundle.text import EOS, Piece
from service.maps.envelope import AttentionMap, Head, Item, TextKeys, Unit
from service.maps.words import Answer, text_map

BOS_TEXT = "<s>"  # how what the decoder reads first shows among the keys


def encoder_map(
    text: str, pieces: Sequence[Piece], rows: np.ndarray, *, unit: Unit, layer: int, head: Head
) -> AttentionMap:
    """Rows (S, S) of an encoder, S being the pieces of the source and its end, whose own row is left out.

    What stands before the pieces, a piece that asks for a language, is left out too: rows then sum to less than one.
    """
    before = len(rows) - len(pieces) - 1
    end = Piece(EOS, "", len(text), len(text), True)
    itself = Answer(text, [*pieces, end])
    made = text_map(text, pieces, itself, rows[before:, before:], unit=unit, kind="self", layer=layer, head=head)
    return made.model_copy(update={"stack": "encoder"})


def decoder_map(answer: Answer, rows: np.ndarray, *, unit: Unit, layer: int, head: Head) -> AttentionMap:
    """Rows (T, T) of a decoder: row t wrote piece t, and looked at what had been read: `<s>`, and the pieces before.

    The keys are in the order of other maps: words first, and `<s>` last.
    """
    turned = np.roll(rows, -1, axis=1)  # `<s>`, which is read first, comes last
    made = text_map(answer.text, answer.pieces[:-1], answer, turned, unit=unit, kind="self", layer=layer, head=head)
    assert isinstance(made.keys, TextKeys)  # noqa: S101  it was made of text
    words = made.keys.items[:-1]
    start = Item(i=len(words), text=BOS_TEXT, start=0, end=0)
    return made.model_copy(update={"stack": "decoder", "keys": TextKeys(items=[*words, start])})
