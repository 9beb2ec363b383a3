"""What of an answer's attention is sent and drawn: which layer and head, how hard, and how far it may be believed.

Knows nothing of HTTP, engines or any one task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from bundle.manifest import Bundle
from bundle.text import Piece
from service.maps import trust
from service.maps.envelope import AttentionMap, Head
from service.maps.words import items_of
from service.messages import Hypothesis
from service.tasks.answer import Maps, TrustSummary
from service.tasks.contract import Asked

Label = Callable[[np.ndarray, int, Head], AttentionMap]  # (T, S) rows of a layer and head to a map in code points
Count = Callable[[AttentionMap], AttentionMap]  # that map, its offsets in another unit


def shown(rows: np.ndarray, bundle: Bundle) -> tuple[np.ndarray, int, Head]:
    """Rows (T, S) of the layer and head that the manifest shows by default, of rows (T, S) or (T, layers, heads, S)."""
    usual = bundle.manifest.attention[0]
    layer, head = usual.default_layer, usual.default_head
    if rows.ndim == 2:
        return rows, layer, head
    return rows[:, layer].mean(axis=1) if head == "mean" else rows[:, layer, head], layer, head


def best_map(rows: np.ndarray, bundle: Bundle, label: Label) -> AttentionMap:
    """The map of the layer and head that are shown by default."""
    return label(*shown(rows, bundle))


def every_map(rows: np.ndarray, label: Label) -> list[AttentionMap]:
    """A map of each layer and head, of rows (T, S) or (T, layers, heads, S)."""
    if rows.ndim == 2:
        return [label(rows, 0, 0)]
    return [label(rows[:, layer, head], layer, head) for layer, head in np.ndindex(*rows.shape[1:3])]


def hardened(map_: AttentionMap) -> AttentionMap:
    """A map whose rows are one at their strongest key and zero elsewhere."""
    weights = np.zeros_like(map_.weights)
    if weights.size:
        np.put_along_axis(weights, map_.weights.argmax(axis=1)[:, None], 1, axis=1)
    return map_.model_copy(update={"weights": weights})


def drawn(asked: Asked, bundle: Bundle, hypothesis: Hypothesis, label: Label) -> AttentionMap | None:
    """The one map that a picture of this answer shows, if any was asked for."""
    if hypothesis.rows is None or asked.attention == "none":
        return None
    soft = best_map(hypothesis.rows, bundle, label)
    return hardened(soft) if asked.attention == "hard" else soft


def sent(asked: Asked, bundle: Bundle, hypothesis: Hypothesis, label: Label, count: Count) -> Maps:
    """What the answer carries of the attention, its offsets counted as asked."""
    if asked.attention == "full" and hypothesis.rows is not None:
        return [count(map_) for map_ in every_map(hypothesis.rows, label)]
    one = drawn(asked, bundle, hypothesis, label)
    return one if one is None else count(one)


def finish(hypothesis: Hypothesis) -> Literal["stop", "length"]:
    """Why the answer ended there."""
    return "stop" if hypothesis.finish_reason == "stop" else "length"


def trusted(map_: AttentionMap, asked: Asked, hypothesis: Hypothesis, pieces: Sequence[Piece]) -> AttentionMap:
    """The map with what is known of how far to believe it; pieces are the answer's (T)."""
    if asked.trust == "none" or not map_.queries:
        return map_
    found = trust.cheap(map_)
    if trials := trust.Trials.of(hypothesis.extras):
        found = trials.added(found, items_of(pieces, map_.unit))
    return map_.model_copy(update={"trust": found})


def summary(asked: Asked, bundle: Bundle, hypothesis: Hypothesis, pieces: Sequence[Piece]) -> TrustSummary | None:
    """The same of the whole answer, if there is more to say than its map does."""
    if asked.trust == "none":
        return None
    trials, rows = trust.Trials.of(hypothesis.extras), hypothesis.rows
    if trials is None and (rows is None or rows.ndim == 2):
        return None
    items, found = items_of(pieces, asked.unit), TrustSummary()
    if rows is not None and rows.ndim > 2 and items:
        spoken = np.concatenate(items)
        found.agreement = trust.agreement(rows[spoken], shown(rows, bundle)[0][spoken])
    if trials and items:
        found.flip_mask, found.flip_uniform, found.kendall = trials.rates(items)
    return found if found.model_fields_set else None
