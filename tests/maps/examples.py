"""Maps written out by hand, small enough to be checked with a pencil. Knows nothing of the formats that draw them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from bundle.text import EOS, Piece
from service.maps.envelope import AttentionMap, GridKeys, Item, Picture, Query, TextKeys
from service.maps.view import View
from service.maps.words import Answer, grid_map, text_map


def cut(text: str, *cuts: str) -> list[Piece]:
    """Pieces of a text, in order; a cut that starts with `_` opens a word."""
    pieces, at = [], 0
    for i, mark in enumerate(cuts):
        piece = mark.removeprefix("_")
        at = text.index(piece, at)
        pieces.append(Piece(10 + i, piece, at, at + len(piece), mark.startswith("_")))
        at += len(piece)
    return pieces


def ending(text: str) -> Piece:
    """The answer's EOS, as `Vocabulary.spelled` gives it."""
    return Piece(EOS, "", len(text), len(text), True)


SOURCE = "The houses burn."  # three words and a full stop, in five pieces, and then </s>
SOURCE_PIECES = cut(SOURCE, "_The", "_house", "s", "_burn", ".")
ANSWER = "Häuser brennen"  # two words in three pieces, and then EOS
ANSWER_PIECES = [*cut(ANSWER, "_Häus", "er", "_brennen"), ending(ANSWER)]
ROWS = np.array(
    [  # The  house s    burn .    </s>
        [0.1, 0.5, 0.2, 0.1, 0.1, 0.0],  # Häus
        [0.1, 0.1, 0.4, 0.0, 0.2, 0.2],  # er
        [0.0, 0.1, 0.0, 0.7, 0.0, 0.2],  # brennen
        [0.0, 0.0, 0.0, 0.0, 0.4, 0.6],  # EOS: not in the map
    ],
    np.float32,
)
LOGPROBS = np.array([-0.5, -0.25, -1.0, -0.1])
MERGED = [  # The  houses burn  .     </s>
    [0.1, 0.6, 0.05, 0.15, 0.1],  # Häuser: the mean of two rows, each summed over house and s
    [0.0, 0.1, 0.7, 0.0, 0.2],  # brennen
]


def translation() -> AttentionMap:
    """The hand-written rows, by words."""
    return text_map(SOURCE, SOURCE_PIECES, Answer(ANSWER, ANSWER_PIECES, LOGPROBS), ROWS)


def translated(answer: str = ANSWER, source: str = SOURCE, title: str = "en-de-test") -> View:
    """The translation as a view; another answer or source changes the sentences, not the map's labels."""
    return View(title, answer, -0.42, source, translation())


def looking_at(row: int, col: int, size: tuple[int, int], crop: tuple[int, int, int, int]) -> View:
    """A caption of one word, all of whose weight is on one of 4 × 6 cells of a plain grey picture."""
    grid = GridKeys(rows=4, cols=6, image=Picture(width=size[0], height=size[1]), crop=crop)
    rows = np.zeros((1, 24), np.float32)
    rows[0, row * 6 + col] = 1
    map_ = grid_map(Answer("dog", cut("dog", "_dog"), np.array([-0.1])), rows, grid, gate=np.array([0.75]))
    return View("caption-test", "dog", -0.1, None, map_, Image.new("RGB", size, (150, 150, 150)))


NASTY = "<script>alert(1)</script>&\"'\x1b[31m\x00]]>\u202e"  # a user who means no good
WHOLE = (0, 0, 90, 60)


def nasty() -> View:
    pieces = [Piece(10, NASTY, 0, len(NASTY), True)]
    map_ = text_map(NASTY, pieces, Answer(NASTY, pieces, np.array([-1.0])), np.array([[0.5, 0.5]]))
    return View(NASTY, NASTY, -1.0, NASTY, map_)


def large(queries: int, keys: int) -> View:
    spans = [{"i": i, "text": f"word{i}", "start": 8 * i, "end": 8 * i + 7} for i in range(max(queries, keys))]
    map_ = AttentionMap(
        kind="cross",
        queries=[Query.model_validate(span) for span in spans[:queries]],
        keys=TextKeys(items=[Item.model_validate(span) for span in spans[:keys]]),
        weights=np.full((queries, keys), 1 / keys, np.float32),
    )
    return View("large", "wort000 " * queries, None, "word000 " * keys, map_)


EVERY_KIND: dict[str, list[View]] = {
    "translation": [translated()],
    "caption": [looking_at(1, 2, (90, 60), WHOLE)],
    "without a map": [View("m", ANSWER)],
    "without a picture": [View("m", "dog", map=looking_at(1, 2, (90, 60), WHOLE).map)],
    "both": [translated(), looking_at(1, 2, (90, 60), WHOLE)],
    "an empty answer": [
        View("m", "", map=translation().model_copy(update={"queries": [], "weights": np.zeros((0, 5))}))
    ],
    "nothing": [],
    "nasty": [nasty()],
    "a strip of a picture": [looking_at(1, 2, (2000, 1), (0, 0, 2000, 1))],
}
