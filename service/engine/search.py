"""Beam search's choice among candidates, vectorised over requests. Greedy search is a beam of one.

Pure: no clock, no session, no model. The step graph has already added log-probabilities to scores
and taken the top C of beam x vocabulary for each request; here the beams of the next step and the
hypotheses that ended are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bundle.text import EOS

DEAD = -1e30  # score of a row that is not there; finite, so that sums stay numbers in the graph
ALIVE = -1e20  # anything above is a real hypothesis


class Rules(NamedTuple):
    """What holds for every search, whoever asks."""

    repeats: int = 0  # times in a row that an answer may say something; 0 for as often as it likes
    margin: float = np.inf  # nats that a hypothesis may be behind the best unfinished one, where one answer is wanted


USUAL_MARGIN = 3.0  # docs/log.md, "Rows that cannot win"


@dataclass(frozen=True)
class Candidates:
    """The best C continuations of each of G requests, best first: total score, piece, and the beam each extends."""

    scores: np.ndarray  # (G, C) float32
    tokens: np.ndarray  # (G, C) int64
    parents: np.ndarray  # (G, C) int64, in 0..W-1


@dataclass(frozen=True)
class Choice:
    """The beams of the next step (G, W), and the E hypotheses that ended in this one."""

    scores: np.ndarray  # (G, W) float32, DEAD where there is no beam
    tokens: np.ndarray  # (G, W) int64
    parents: np.ndarray  # (G, W) int64
    ended: np.ndarray  # (E,) request
    ended_parents: np.ndarray  # (E,) the beam that EOS was added to
    ended_scores: np.ndarray  # (E,) total score, EOS included


def candidates_wanted(width: int, *, spare: bool = False) -> int:
    """C for a beam of this width: at most W of the best 2W can be EOS, so W others always remain.

    spare: whether a beam of one wants a second, should the first not be allowed.
    """
    return 1 + spare if width == 1 else 2 * width


def best(candidates: Candidates) -> Candidates:
    """The best one of each request: (G, 1)."""
    if candidates.scores.shape[1] == 1:
        return candidates
    place = candidates.scores.argmax(1)[:, None]
    return Candidates(
        np.take_along_axis(candidates.scores, place, 1),
        np.take_along_axis(candidates.tokens, place, 1),
        np.take_along_axis(candidates.parents, place, 1),
    )


def force(candidates: Candidates, forced: np.ndarray, tokens: np.ndarray, scores: np.ndarray) -> Candidates:
    """Replace the candidates of requests that are inside a forced prefix by that one piece.

    forced (G,) bool; tokens (G,) the pieces; scores (G,) the total score of beam 0 with that piece.
    """
    if not forced.any():
        return candidates
    first = np.arange(candidates.scores.shape[1]) == 0
    chosen = np.where(first, scores[:, None], DEAD).astype(np.float32)
    return Candidates(
        np.where(forced[:, None], chosen, candidates.scores),
        np.where(forced[:, None], tokens[:, None], candidates.tokens),
        np.where(forced[:, None], 0, candidates.parents),
    )


def choose(candidates: Candidates, beams: np.ndarray, width: int) -> Choice:
    """Split candidates into hypotheses that end and beams that go on.

    beams (G,) is each request's own beam size, at most `width`. A candidate that ends counts only
    if it is among the request's best `beams`; the best `beams` others go on.
    """
    if width == 1:
        return _greedy(candidates)
    rank = np.arange(candidates.scores.shape[1])
    ends = candidates.tokens == EOS
    alive = candidates.scores > ALIVE
    request, place = np.nonzero(ends & alive & (rank < beams[:, None]))
    order = np.argsort(ends | ~alive, axis=1, kind="stable")[:, :width]  # those that go on, best first
    rows = np.arange(len(order))[:, None]
    if order.shape[1] < width:
        raise ValueError(f"{order.shape[1]} candidates cannot fill {width} beams")
    going = (~ends & alive)[rows, order] & (np.arange(width) < beams[:, None])
    return Choice(
        np.where(going, candidates.scores[rows, order], np.float32(DEAD)),
        candidates.tokens[rows, order],
        candidates.parents[rows, order],
        request,
        candidates.parents[request, place],
        candidates.scores[request, place],
    )


def pruned(choice: Choice, margins: np.ndarray, floors: np.ndarray) -> Choice:
    """Give up beams that are more than `margins` (G,) behind their request's best, or not above its `floors` (G,).

    Both are total scores. Relative threshold pruning of Freitag and Al-Onaizan 2017, section 3.1; what it frees stays
    free until better beams have more continuations.
    """
    least = choice.scores.max(1) - margins
    lost = (choice.scores < least[:, None]) | (choice.scores <= floors[:, None])
    return replace(choice, scores=np.where(lost, np.float32(DEAD), choice.scores))


def _greedy(candidates: Candidates) -> Choice:
    """The one candidate of each request: it ends, or it goes on."""
    ends = candidates.tokens == EOS
    alive = candidates.scores > ALIVE
    request = np.nonzero((ends & alive)[:, 0])[0]
    return Choice(
        np.where(alive & ~ends, candidates.scores, np.float32(DEAD)),
        candidates.tokens,
        candidates.parents,
        request,
        candidates.parents[request, 0],
        candidates.scores[request, 0],
    )
