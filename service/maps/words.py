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
    spoken, queries, average = _queries(answer, unit)
    groups = grouped(source_pieces, unit)
    total = _membership([*groups, [len(source_pieces)]], len(source_pieces) + 1)  # (key words, S)
    weights = average @ rows[spoken] @ total.T
    return AttentionMap(
        kind=kind,
        layer=layer,
        head=head,
        unit=unit,
        queries=queries,
        keys=_keys(source_text, source_pieces, groups),
        weights=weights,
        window=None if window is None else _windows(window[spoken], average > 0, total > 0),
    )


def _windows(window: np.ndarray, member: np.ndarray, keys: np.ndarray) -> list[tuple[int, int]]:
    """The first and last key (of words or pieces, S positions in all) that each item (of its pieces) could look at."""
    positions = np.stack([np.ceil(window[:, 0]), np.floor(window[:, 1])], -1).clip(0, keys.shape[1] - 1)
    edges = keys.argmax(axis=0)[positions.astype(np.intp)]  # (pieces, 2), as keys
    return [(int(edges[own, 0].min()), int(edges[own, 1].max())) for own in member]


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
    spoken, queries, average = _queries(answer, unit)
    return AttentionMap(
        kind="spatial",
        layer=layer,
        head=head,
        unit=unit,
        queries=queries,
        keys=grid,
        weights=average @ rows[spoken],
        gate=None if gate is None else (average @ gate[spoken]).tolist(),
        sampled=None if sampled is None else [int(sampled[spoken][own][0]) for own in average > 0],
    )


def grouped(pieces: Sequence[Piece], unit: Unit) -> list[list[int]]:
    """The positions of each item's pieces, in order; every position is in exactly one group."""
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
    seen = [piece for piece in pieces if piece.start < piece.end] or list(pieces)
    start, end = seen[0].start, seen[-1].end
    return Item(i=i, text=text[start:end], start=start, end=end)


def _queries(answer: Answer, unit: Unit) -> tuple[np.ndarray, list[Query], np.ndarray]:
    """Which of the T pieces are spoken, their items, and the matrix (items, spoken pieces) that averages."""
    spoken = _spoken(answer.pieces)
    pieces = [answer.pieces[i] for i in spoken]
    groups = grouped(pieces, unit)
    member = _membership(groups, len(pieces))
    told = None if answer.logprobs is None else answer.logprobs[spoken]
    queries = [_query(i, answer.text, pieces, group, told) for i, group in enumerate(groups)]
    return spoken, queries, member / np.maximum(member.sum(axis=1, keepdims=True), 1)


def _query(i: int, text: str, pieces: Sequence[Piece], group: Sequence[int], logprobs: np.ndarray | None) -> Query:
    """An item of the answer, with what the model gave its pieces, where that is known."""
    item = _item(i, text, [pieces[p] for p in group])
    sure: dict[str, float] = {}
    if logprobs is not None:
        own = logprobs[list(group)]
        sure = {"logprob": float(own.sum()), "confidence": confidence(own)}
    return Query(i=item.i, text=item.text, start=item.start, end=item.end, **sure)


def said_items(answer: Answer, unit: Unit) -> list[Query]:
    """The items of an answer as its map's queries have them, where no map is wanted."""
    return _queries(answer, unit)[1]


def _membership(groups: Sequence[Sequence[int]], pieces: int) -> np.ndarray:
    """(groups, pieces): one where a piece belongs to a group."""
    member = np.zeros((len(groups), pieces), np.float32)
    for i, group in enumerate(groups):
        member[i, group] = 1
    return member


def _check(rows: np.ndarray, answer: Answer, keys: int) -> None:
    if rows.shape != (len(answer.pieces), keys):
        raise ValueError(f"rows {rows.shape} are not {(len(answer.pieces), keys)}: one a piece, one weight a key")
    if answer.logprobs is not None and answer.logprobs.shape != (len(answer.pieces),):
        raise ValueError(f"log-probabilities {answer.logprobs.shape} are not one a piece of {len(answer.pieces)}")
