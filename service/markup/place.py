"""Kept spans in an answer: in place of the names that stood for them, else of the words that look at them most.

Knows nothing of engines and of what the spans are. None is lost or doubled, whatever the model says: each slot is
written into the answer exactly once, by us; all that the model decides is where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bundle.text import Piece, has_words
from service.maps.words import items_of
from service.markup.protect import Masked, Slot

LOOKED_AT = 0.1  # a word gives way to a span if so much of its row lies on it; docs/log.md has what others gave
PLACED = -1  # the id of a piece that no vocabulary has: a span that stands beside what the model said


@dataclass(frozen=True)
class Placed:
    """An answer with every span in it. `added`: where spans stand beside the model's words, and which."""

    text: str
    pieces: list[Piece]
    added: list[tuple[int, int]]  # (place among the pieces, slot)
    at: dict[int, int]  # slot to where it begins in the text


@dataclass(frozen=True)
class _Word:
    start: int
    end: int
    pieces: list[int]
    text: str


@dataclass(frozen=True, order=True)
class _Edit:
    """`text[start:end]` becomes another text; without pieces it is put in, before the piece `before`."""

    start: int
    end: int
    slot: int  # -1: it goes
    text: str
    before: int = -1


def place(
    masked: Masked,
    columns: Sequence[Sequence[int]],
    text: str,
    pieces: Sequence[Piece],
    looks: np.ndarray | None,
    *,
    in_order: bool = False,
) -> Placed:
    """The answer `text` of these pieces (T) with its spans; looks (T, S): its rows, where the model has attention.

    columns: for each slot the positions of the source that stood for it; in_order: slots stand in the source's order.
    """
    words = [_word(text, pieces, group) for group in items_of(pieces, "word")]
    words = [word for word in words if has_words(word.text)]
    mass = _mass(masked, columns, words, len(text), looks)
    taken = {} if masked.whole else _taken(masked.slots, words, mass)
    if in_order:
        taken = dict(zip(sorted(taken), sorted(taken.values()), strict=True))
    edits = [_Edit(words[k].start, words[k].end, slot, masked.slots[slot].says) for slot, k in taken.items()]
    if masked.whole:
        edits = [_Edit(0, len(text), 0, masked.slots[0].says)] if text else []
    left = [slot for slot in range(len(masked.slots)) if slot not in {edit.slot for edit in edits}]
    edits += [_beside(masked.slots, slot, words, mass, taken, text, len(pieces), in_order) for slot in left]
    edits += _strays(masked, text, words, set(taken.values()) if not masked.whole else set(range(len(words))))
    return _written(text, pieces, sorted(edits))


def _word(text: str, pieces: Sequence[Piece], group: list[int]) -> _Word:
    start, end = pieces[group[0]].start, pieces[group[-1]].end
    word = text[start:end].rstrip(".,;:!?") or text[start:end]  # some pieces are a digit and a full stop
    return _Word(start, start + len(word), group, word)


def _mass(
    masked: Masked, columns: Sequence[Sequence[int]], words: Sequence[_Word], length: int, looks: np.ndarray | None
) -> np.ndarray:
    """(slots, words): how much of each word's row lies on each slot; without rows, how near both stand."""
    mass = np.zeros((len(masked.slots), len(words)), np.float32)
    for j, (slot, own) in enumerate(zip(masked.slots, columns, strict=True)):
        for k, word in enumerate(words):
            if looks is not None:
                mass[j, k] = looks[word.pieces].mean(0)[list(own)].sum()
            else:
                there = (word.start + word.end) / (2 * max(length, 1))
                mass[j, k] = 1 - abs((slot.at + slot.to) / (2 * max(len(masked.text), 1)) - there)
    return mass


def _taken(slots: Sequence[Slot], words: Sequence[_Word], mass: np.ndarray) -> dict[int, int]:
    """Which word gives way to which slot: first names that were copied and what was said of itself, then the words
    that look at a slot most."""
    taken: dict[int, int] = {}
    order = np.argsort(-mass, axis=None, kind="stable")
    pairs = [(int(pair) // mass.shape[1], int(pair) % mass.shape[1]) for pair in order] if mass.size else []
    for copied in (True, False):
        for j, k in pairs:
            named = words[k].text.casefold() == (slots[j].name or slots[j].says).casefold()
            if j in taken or k in taken.values() or (copied and not named) or mass[j, k] < LOOKED_AT * (not copied):
                continue
            taken[j] = k
    return taken


def _beside(
    slots: Sequence[Slot],
    slot: int,
    words: Sequence[_Word],
    mass: np.ndarray,
    taken: dict[int, int],
    text: str,
    pieces: int,
    in_order: bool,
) -> _Edit:
    """A slot that no word is left for, beside the word that looks at it most; behind it, if that is another's."""
    if not words or (in_order and not taken):
        return _Edit(len(text), len(text), slot, slots[slot].says, pieces)
    k, owner = int(mass[slot].argmax()), None
    if in_order and taken:
        owner = max((j for j in taken if j < slot), default=min(taken))
        k = taken[owner]
    owner = next((j for j, other in taken.items() if other == k), None)
    if owner is not None and owner < slot:
        return _Edit(words[k].end, words[k].end, slot, slots[slot].says, words[k].pieces[-1] + 1)
    return _Edit(words[k].start, words[k].start, slot, slots[slot].says, words[k].pieces[0])


def _strays(masked: Masked, text: str, words: Sequence[_Word], used: set[int]) -> list[_Edit]:
    """Names that were said once too often go, with the space before them, or behind where they begin the text."""
    used_names = {slot.name.casefold() for slot in masked.slots if slot.name}
    original = masked.original.casefold()
    names = {name for name in used_names if name not in original}
    stray = [word for k, word in enumerate(words) if k not in used and word.text.casefold() in names]
    return [_without(text, word) for word in stray]


def _without(text: str, word: _Word) -> _Edit:
    if word.start == 0:
        return _Edit(0, word.end + (text[word.end : word.end + 1] == " "), -1, "")
    return _Edit(word.start - (text[word.start - 1] == " "), word.end, -1, "")


def _written(text: str, pieces: Sequence[Piece], edits: Sequence[_Edit]) -> Placed:
    """The text with its edits, and its pieces in it: the first piece of a word that gave way is the whole span."""
    out, last = "", 0
    moved: list[Piece | None] = [None] * len(pieces)
    put: list[tuple[int, int, Piece]] = []  # before which piece, slot, the piece
    at: dict[int, int] = {}
    for edit in [*edits, _Edit(len(text) + 1, len(text) + 1, -1, "")]:
        _shifted(pieces, moved, last, edit.start, len(out) - last)
        out += text[last : edit.start]
        if edit.start > len(text):
            break
        space = " " if edit.before >= 0 and out and not out[-1].isspace() else ""
        start = len(out) + len(space)
        out += space + edit.text
        at[edit.slot] = start
        if edit.before >= 0:
            put.append((edit.before, edit.slot, Piece(PLACED, edit.text, start, len(out), True)))
            out += " " if edit.end < len(text) and text[edit.end].isalnum() else ""
        _covered(pieces, moved, edit, start, len(out))
        last = edit.end
    spelled = [
        one if one is not None else replace(pieces[i], start=len(out), end=len(out), text="")
        for i, one in enumerate(moved)
    ]
    return _merged(out, spelled, put, at)


def _shifted(pieces: Sequence[Piece], moved: list[Piece | None], first: int, last: int, by: int) -> None:
    """Pieces between two edits move along."""
    for i, one in enumerate(pieces):
        if moved[i] is None and first <= one.start and one.end <= last:
            moved[i] = replace(one, start=one.start + by, end=one.end + by)


def _covered(pieces: Sequence[Piece], moved: list[Piece | None], edit: _Edit, start: int, end: int) -> None:
    """The pieces of what an edit took away: the first has all of what came, the others are empty behind it."""
    for i, one in enumerate(pieces):
        if moved[i] is None and one.start < edit.end and one.end > edit.start:
            moved[i] = replace(one, text=edit.text if edit.slot >= 0 else "", start=start, end=end)
            start, edit = end, replace(edit, slot=-1)


def _merged(text: str, pieces: Sequence[Piece], put: Sequence[tuple[int, int, Piece]], at: dict[int, int]) -> Placed:
    whole: list[Piece] = []
    added: list[tuple[int, int]] = []
    for i in range(len(pieces) + 1):
        for before, slot, piece in put:
            if before == i:
                added.append((len(whole), slot))
                whole.append(piece)
        whole += pieces[i : i + 1]
    return Placed(text, whole, added, at)


def with_added(
    values: np.ndarray, added: Sequence[tuple[int, int]], columns: Sequence[Sequence[int]] | None = None
) -> np.ndarray:
    """Values (T, …), one a piece, with those of the pieces that were added: zero, or rows that look at their slots."""
    for at, slot in added:
        new = np.zeros(values.shape[1:], values.dtype)
        if columns is not None and columns[slot]:
            new[..., list(columns[slot])] = 1 / len(columns[slot])
        values = np.insert(values, at, new, axis=0)
    return values
