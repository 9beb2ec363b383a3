"""Answers as application/x-npz: every map's weights and labels as numpy arrays that load without pickle.

Knows nothing of drawing. Arrays end in the answer's number: weights_0 (queries, keys) float32, queries_0 and keys_0
(words), or for pictures grid_0 (rows, cols), image_0 (width, height) and crop_0 (x0, y0, x1, y1); logprobs_0; where
the model has them gate_0, window_0 (queries, 2) and sampled_0; entropy_0 and whatever else is known of how far to
believe the map.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np

from service.maps.envelope import AttentionMap, GridKeys, Item
from service.maps.view import View


def render(views: Sequence[View]) -> bytes:
    """The NPZ file."""
    arrays: dict[str, np.ndarray] = {
        "titles": _words([view.title for view in views]),
        "answers": _words([view.answer for view in views]),
        "sources": _words([view.source or "" for view in views]),
        "scores": np.array([np.nan if view.score is None else view.score for view in views], np.float64),
    }
    for i, view in enumerate(views):
        if view.map is not None:
            arrays |= {f"{name}_{i}": array for name, array in _arrays(view.map)}
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _arrays(map_: AttentionMap) -> Iterator[tuple[str, np.ndarray]]:
    yield "weights", map_.array()
    yield "queries", _words([query.text for query in map_.queries])
    yield "query_spans", _spans(map_.queries)
    yield "logprobs", np.array([np.nan if q.logprob is None else q.logprob for q in map_.queries], np.float32)
    if map_.trust is not None:
        for name, values in map_.trust:
            if values is not None:
                yield name, np.array(values)
    if map_.gate is not None:
        yield "gate", np.array(map_.gate, np.float32)
    if map_.window is not None:
        yield "window", np.array(map_.window, np.int64)
    if map_.sampled is not None:
        yield "sampled", np.array(map_.sampled, np.int64)
    if isinstance(map_.keys, GridKeys):
        grid = map_.keys
        yield "grid", np.array([grid.rows, grid.cols])
        yield "image", np.array([grid.image.width, grid.image.height])
        yield "crop", np.array(grid.crop)
    else:
        yield "keys", _words([item.text for item in map_.keys.items])
        yield "key_spans", _spans(map_.keys.items)


def _words(texts: Sequence[str]) -> np.ndarray:
    return np.array(texts, np.str_)


def _spans(items: Sequence[Item]) -> np.ndarray:
    """(items, 2): start and end in code points."""
    return np.array([(item.start, item.end) for item in items], np.int64).reshape(-1, 2)
