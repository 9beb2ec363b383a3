"""Pieces to words: the labels of a map, and its weights merged to fit them.

Knows nothing of vocabularies, engines or drawing: it sees pieces, rows of weights, and the texts they lie in.
Merging sums over the pieces of a source word and averages over the pieces of a target word: rows still sum to one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bundle.text import BOS, EOS, PAD, Piece
from service.maps.envelope import EOS_TEXT, AttentionMap, GridKeys, Head, Item, Kind, Query, TextKeys, Unit
from service.telemetry.confidence import confidence

# Thai to Khmer, kana, Han: scripts without spaces between words, where a piece is the best word there is
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


Groups = Sequence[Sequence[int]]  # the positions of each item, one after the other and without gaps


@dataclass(frozen=True)
class Answer:
    """What a model said: T pieces as `Vocabulary.spelled` gives them (EOS included or not), T log-probabilities."""

    text: str
    pieces: Sequence[Piece]
    logprobs: np.ndarray | None = None  # (T,)


def text_map(
    source_text: str,
    source_pieces: Sequence[Piece],
    answer: Answer,
    rows: np.ndarray,
    *,
    unit: Unit = "word",
    kind: Kind = "cross",
    layer: int = 0,
    head: Head = 0,
    window: np.ndarray | None = None,
) -> AttentionMap:
    """Label rows (T, S), where S is the source pieces and then EOS; the row of the answer's EOS is left out.

    window (T, 2) are the first and last position that each piece could look at; a word's is that of all its pieces.

    Raises:
        ValueError: rows are not (answer pieces, source pieces + 1), or log-probabilities are not one a piece.
    """
    _check(rows, answer, len(source_pieces) + 1)
    spoken, queries, words = _queries(answer, unit)
    groups = grouped(source_pieces, unit)
    keys = [*groups, [len(source_pieces)]]
    return AttentionMap(
        kind=kind,
        layer=layer,
        head=head,
        unit=unit,
        queries=queries,
        keys=_keys(source_text, source_pieces, groups),
        weights=_summed(_averaged(rows[spoken], words), keys, axis=1),
        window=None if window is None else _windows(window[spoken], words, keys),
    )


def _windows(window: np.ndarray, words: Groups, keys: Groups) -> list[tuple[int, int]]:
    """The first and last key (of words or pieces, S positions in all) that each item (of its pieces) could look at."""
    key = np.repeat(np.arange(len(keys)), [len(group) for group in keys])  # of each position
    positions = np.stack([np.ceil(window[:, 0]), np.floor(window[:, 1])], -1).clip(0, len(key) - 1)
    edges = key[positions.astype(np.intp)]  # (pieces, 2), as keys
    return [(int(edges[own, 0].min()), int(edges[own, 1].max())) for own in words]


def text_keys(text: str, pieces: Sequence[Piece], unit: Unit) -> TextKeys:
    """What rows over a text look at: its words or pieces, and its end."""
    return _keys(text, pieces, grouped(pieces, unit))


def _keys(text: str, pieces: Sequence[Piece], groups: Sequence[Sequence[int]]) -> TextKeys:
    items = [_item(i, text, [pieces[p] for p in group]) for i, group in enumerate(groups)]
    return TextKeys(items=[*items, Item(i=len(items), text=EOS_TEXT, start=len(text), end=len(text))])


def grid_map(
    answer: Answer,
    rows: np.ndarray,
    grid: GridKeys,
    *,
    unit: Unit = "word",
    gate: np.ndarray | None = None,
    sampled: np.ndarray | None = None,
    layer: int = 0,
    head: Head = 0,
) -> AttentionMap:
    """Label rows (T, cells) over a picture; gate (T,) is averaged over a word's pieces, as the rows are.

    sampled (T,) is the one cell that a piece's context was taken from; a word's is that of its first piece.

    Raises:
        ValueError: rows are not (answer pieces, cells), or log-probabilities or gates are not one a piece.
    """
    _check(rows, answer, grid.rows * grid.cols)
    if gate is not None and gate.shape != (len(answer.pieces),):
        raise ValueError(f"gate {gate.shape} is not one a piece of {len(answer.pieces)}")
    spoken, queries, words = _queries(answer, unit)
    return AttentionMap(
        kind="spatial",
        layer=layer,
        head=head,
        unit=unit,
        queries=queries,
        keys=grid,
        weights=_averaged(rows[spoken], words),
        gate=None if gate is None else _averaged(gate[spoken], words).tolist(),
        sampled=None if sampled is None else [int(sampled[spoken[own[0]]]) for own in words],
    )


def _summed(values: np.ndarray, groups: Groups, axis: int = 0) -> np.ndarray:
    """The sums over each group of positions along an axis."""
    if not groups:
        return np.zeros((0, *values.shape[1:]), values.dtype)
    sums: np.ndarray = np.add.reduceat(values, [group[0] for group in groups], axis=axis)
    return sums


def _averaged(values: np.ndarray, groups: Groups) -> np.ndarray:
    """The means over each group of the first axis."""
    sizes = np.array([len(group) for group in groups], values.dtype)
    mean: np.ndarray = _summed(values, groups) / sizes.reshape(-1, *[1] * (values.ndim - 1))
    return mean


def grouped(pieces: Sequence[Piece], unit: Unit) -> list[list[int]]:
    """The positions of each item's pieces, in order; every position is in exactly one group, which has no gap."""
    if unit == "piece":
        return [[i] for i in range(len(pieces))]
    return [part for word in _spaced(pieces) for part in _unglued(word, pieces)]


def items_of(pieces: Sequence[Piece], unit: Unit) -> list[list[int]]:
    """The positions of the pieces of each item of an answer's map, as its queries are numbered; silent ones have none.

    Of a source's pieces, these are the keys, but for its end.
    """
    spoken = _spoken(pieces)
    return [[int(spoken[i]) for i in group] for group in grouped([pieces[i] for i in spoken], unit)]


def _spoken(pieces: Sequence[Piece]) -> np.ndarray:
    return np.array([i for i, piece in enumerate(pieces) if piece.id not in (PAD, BOS, EOS)], np.intp)


def _spaced(pieces: Sequence[Piece]) -> list[list[int]]:
    """Words as the spaces cut them; a piece without visible text joins the word after it, or the last one."""
    words: list[list[int]] = []
    visible = True
    for i, piece in enumerate(pieces):
        if not words or (visible and _opens(pieces, i)):
            words.append([])
            visible = False
        words[-1].append(i)
        visible = visible or piece.start < piece.end
    if len(words) > 1 and not visible:
        words[-2:] = [words[-2] + words[-1]]
    return words


def _opens(pieces: Sequence[Piece], i: int) -> bool:
    before, here = pieces[i - 1].text[-1:], pieces[i].text[:1]
    return pieces[i].opens or bool(UNSPACED.match(before) or UNSPACED.match(here))


def _unglued(word: list[int], pieces: Sequence[Piece]) -> Iterator[list[int]]:
    """A word without the punctuation in front and behind: `„Mann.` is three items, `don't` and `3,5` are one."""
    if len(word) == 1:  # most words
        yield word
        return
    letters = [at for at, i in enumerate(word) if not _is_mark(pieces[i].text)]
    if not letters:
        yield word
        return
    first, last = letters[0], letters[-1] + 1
    first = first if _is_seen(word[:first], pieces) else 0
    last = last if _is_seen(word[last:], pieces) else len(word)
    yield from (part for part in (word[:first], word[first:last], word[last:]) if part)


@lru_cache(maxsize=1 << 15)
def _is_mark(text: str) -> bool:
    """Punctuation, symbols, or nothing at all: the piece of a lone space goes with the mark behind it."""
    return all(unicodedata.category(character)[0] in "PS" for character in text)


def _is_seen(group: Sequence[int], pieces: Sequence[Piece]) -> bool:
    return any(pieces[i].start < pieces[i].end for i in group)


def _item(i: int, text: str, pieces: Sequence[Piece]) -> Item:
    start, end = _span(pieces)
    return Item(i=i, text=text[start:end], start=start, end=end)


def _span(pieces: Sequence[Piece]) -> tuple[int, int]:
    """From the first to the last that is seen."""
    if len(pieces) > 1:
        pieces = [piece for piece in pieces if piece.start < piece.end] or pieces
    return pieces[0].start, pieces[-1].end


def _queries(answer: Answer, unit: Unit) -> tuple[np.ndarray, list[Query], Groups]:
    """Which of the T pieces are spoken, their items, and the spoken pieces of each."""
    spoken = _spoken(answer.pieces)
    pieces = [answer.pieces[i] for i in spoken]
    groups = grouped(pieces, unit)
    told: list[float] | None = None if answer.logprobs is None else answer.logprobs[spoken].tolist()
    return spoken, [_query(i, answer.text, pieces, group, told) for i, group in enumerate(groups)], groups


def _query(i: int, text: str, pieces: Sequence[Piece], group: Sequence[int], logprobs: list[float] | None) -> Query:
    """An item of the answer, with what the model gave its pieces, where that is known."""
    start, end = _span([pieces[p] for p in group])
    if logprobs is None:
        return Query(i=i, text=text[start:end], start=start, end=end)
    own = [logprobs[p] for p in group]
    return Query(i=i, text=text[start:end], start=start, end=end, logprob=sum(own), confidence=confidence(own))


def said_items(answer: Answer, unit: Unit) -> list[Query]:
    """The items of an answer as its map's queries have them, where no map is wanted."""
    return _queries(answer, unit)[1]


def _check(rows: np.ndarray, answer: Answer, keys: int) -> None:
    if rows.shape != (len(answer.pieces), keys):
        raise ValueError(f"rows {rows.shape} are not {(len(answer.pieces), keys)}: one a piece, one weight a key")
    if answer.logprobs is not None and answer.logprobs.shape != (len(answer.pieces),):
        raise ValueError(f"log-probabilities {answer.logprobs.shape} are not one a piece of {len(answer.pieces)}")
