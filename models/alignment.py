"""Attention as word alignment: rows of weights to links between words, and their error against gold.

Knows nothing of nets or of where the rows come from. Alignment error rate (Och and Ney 2003), all links being sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bundle.text import Piece, Vocabulary
from models.grammar import Aligned

Links = frozenset[tuple[int, int]]  # (source word, target word)


def spans(words: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Where each word stands in a text that has them in this order, the first letter maybe in another case."""
    found, at, lower = [], 0, text.lower()
    for word in words:
        at = lower.index(word.lower(), at)
        found.append((at, at + len(word)))
        at += len(word)
    return found


def membership(pieces: Sequence[Piece], words: Sequence[tuple[int, int]]) -> np.ndarray:
    """(words, pieces): the share of each piece's characters that is the word's."""
    member = np.zeros((len(words), len(pieces)), np.float32)
    for p, piece in enumerate(pieces):
        for w, (start, end) in enumerate(words):
            member[w, p] = max(0, min(end, piece.end) - max(start, piece.start))
    return member / np.maximum(member.sum(0, keepdims=True), 1e-9)


def links(rows: np.ndarray, pair: Aligned, vocabulary: Vocabulary) -> Links:
    """Each target word's strongest source word, unless the source's end has more; rows (T, S), both ends included.

    Weights are summed over a source word's pieces and averaged over a target word's.
    """
    source, target = pair.texts()
    into = membership(vocabulary.pieces(source), spans(pair.source, source))
    of = membership(vocabulary.pieces(target), spans(pair.target, target))
    weights = (of / np.maximum(of.sum(1, keepdims=True), 1e-9)) @ rows[: of.shape[1]]
    by_word, ends = weights[:, : into.shape[1]] @ into.T, weights[:, into.shape[1]]
    best = by_word.argmax(1)
    kept = np.nonzero(by_word[np.arange(len(best)), best] >= ends)[0]
    return frozenset((int(best[t]), int(t)) for t in kept)


def error_rate(pairs: Iterable[tuple[Links, Links]]) -> float:
    """1 - 2 |found ∩ gold| / (|found| + |gold|), over all (found, gold) together."""
    right = total = 0
    for found, gold in pairs:
        right += 2 * len(found & gold)
        total += len(found) + len(gold)
    return 1 - right / total
