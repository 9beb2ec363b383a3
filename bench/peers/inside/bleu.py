"""BLEU of answers against references, by sacreBLEU.

Runs where sacrebleu is. python -m bench.peers.inside.bleu FILE, a JSON of {"said": [text], "references": [[text]]}
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import sacrebleu


def main() -> None:
    """Print {"bleu", "signature"}."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    metric = sacrebleu.BLEU()
    found = metric.corpus_score(asked["said"], asked["references"])
    print(json.dumps({"bleu": round(found.score, 2), "signature": str(metric.get_signature())}))


if __name__ == "__main__":
    main()
