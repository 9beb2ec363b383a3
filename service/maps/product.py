"""Two maps in a row as one: from a translation's words through a caption's to the cells of a picture.

Knows nothing of models. Both models cut the caption into pieces of their own, so pieces are matched by the characters
that they share; the end of the caption, as the translator saw it, is the step at which the captioner said that it ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundle.text import EOS, Piece


def product(rows: np.ndarray, read: Sequence[Piece], through: np.ndarray, said: Sequence[Piece]) -> np.ndarray:
    """rows (T, S) over the pieces that were read and their end; through (U, cells) of the pieces said -> (T, cells).

    Rows that sum to one give rows that sum to one.
    """
    mixed: np.ndarray = rows @ _shares(read, said) @ through
    return mixed


def _shares(read: Sequence[Piece], said: Sequence[Piece]) -> np.ndarray:
    """(S, U): how much of each piece that was read, and of the end, lies in each piece that was said."""
    begins, ends = (np.array([getattr(piece, side) for piece in said]) for side in ("start", "end"))
    silent = np.array([piece.id == EOS for piece in said])
    shares = np.zeros((len(read) + 1, len(said)), np.float32)
    for row, piece in zip(shares, read, strict=False):
        row[:] = np.maximum(np.minimum(ends, piece.end) - np.maximum(begins, piece.start), 0)
        if not row.any():  # white space, or nothing: the piece that stands there
            row[np.where(silent, np.inf, np.maximum(begins - piece.start, piece.start - ends)).argmin()] = 1
    shares[-1] = silent if silent.any() else 1
    normal: np.ndarray = shares / shares.sum(1, keepdims=True)
    return normal
