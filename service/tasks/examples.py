"""Answers as examples, for the documents of the API.

Knows nothing of any one task's code.
"""

from __future__ import annotations

from typing import Any

TRANSLATED: dict[str, Any] = {
    "id": "4f1c0d2ab7e94c4b8d1f6a3e5c7b9d01",
    "model": "en-de-bahdanau@2",
    "timings": {"prepare": 0.0003, "queue": 0.0001, "encode": 0.003, "decode": 0.012},
    "results": [
        {
            "text": "Hunde",
            "score": -0.21,
            "finish_reason": "stop",
            "language": "de",
            "attention": {
                "kind": "cross",
                "layer": 0,
                "head": 0,
                "unit": "word",
                "offsets": "codepoint",
                "queries": [{"i": 0, "text": "Hunde", "start": 0, "end": 5, "logprob": -0.21}],
                "keys": {
                    "type": "text",
                    "items": [
                        {"i": 0, "text": "Dogs", "start": 0, "end": 4},
                        {"i": 1, "text": "</s>", "start": 4, "end": 4},
                    ],
                },
                "encoding": "float",
                "weights": [[0.93, 0.07]],
                "trust": {"entropy": [0.366], "peak": [0.93], "special": [0.07], "coverage": [0.93, 0.07]},
            },
        }
    ],
}
