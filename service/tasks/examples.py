"""Answers as examples, for the documents of the API.

Knows nothing of any one task's code.
"""

from __future__ import annotations

from typing import Any


def _answer(id_: str, timings: dict[str, float], word: dict[str, Any], weights: list[float], **result: Any) -> Any:
    """An answer of one word to one word; `word` is what the map says of it."""
    map_ = {
        "kind": "cross",
        "layer": 0,
        "head": 0,
        "unit": "word",
        "offsets": "codepoint",
        "queries": [word],
        "keys": {
            "type": "text",
            "items": [
                {"i": 0, "text": "Dogs", "start": 0, "end": 4},
                {"i": 1, "text": "</s>", "start": 4, "end": 4},
            ],
        },
        "encoding": "float",
        "weights": [weights],
        "trust": {"entropy": [result.pop("entropy")], "peak": weights[:1], "special": weights[1:], "coverage": weights},
    }
    said = {"text": "Hunde", "finish_reason": "stop", "language": "de", **result, "attention": map_}
    return {"id": id_, "model": "en-de-bahdanau@4", "timings": timings, "results": [said]}


TRANSLATED = _answer(
    "4f1c0d2ab7e94c4b8d1f6a3e5c7b9d01",
    {"prepare": 0.0003, "queue": 0.0001, "encode": 0.003, "decode": 0.012},
    {"i": 0, "text": "Hunde", "start": 0, "end": 5, "logprob": -0.21, "confidence": 0.8106},
    [0.93, 0.07],
    entropy=0.366,
    score=-0.21,
    confidence=0.8106,
)
_WORD = {"i": 0, "text": "Hunde", "start": 0, "end": 5, "logprob": -0.643, "confidence": 0.5257}
SCORED = _answer(
    "b820d872bbdf47cda215725b65be57d4",
    {"prepare": 0.0003, "queue": 0.0001, "encode": 0.001, "decode": 0.004},
    _WORD,
    [0.8012, 0.1988],
    entropy=0.7196,
    score=-1.847,
    confidence=0.0874,
    logprob=-4.874172,
    words=[_WORD],
    tokens=[
        {"i": 0, "id": 1873, "text": " Hunde", "start": 0, "end": 5, "logprob": -0.642987},
        {"i": 1, "id": 3, "text": "</s>", "start": 5, "end": 5, "logprob": -4.231185},
    ],
)
