"""CTranslate2 with our Transformer's weights, as a contestant.

Runs where ctranslate2 is. Knows nothing of where the model came from: `conversion` wrote it.
python -m bench.peers.inside.ctranslate2_engine JOB FOLDER
A turn: {"beam", "attention", "compute": "int8" or "float32", "batch", "unit": "examples" or "tokens", "inter", "intra"}
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import ctranslate2

from bench.peers.inside.turns import Setting, Turn, take_turns


class Engine:
    """The model in as many translators as settings ask for, one at a time."""

    def __init__(self, job: dict[str, Any], model: Path) -> None:
        self.model = model
        self.longest, self.penalty, self.pieces = job["longest"], job["penalty"], job["pieces"]
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        self.sources = [[self.pieces[i] for i in ids] for ids in job["sources"]]
        self.translator = lru_cache(maxsize=1)(self._translator)

    def _translator(self, compute: str, inter: int, intra: int) -> ctranslate2.Translator:
        made = ctranslate2.Translator(
            str(self.model), compute_type=compute, inter_threads=inter, intra_threads=intra, max_queued_batches=-1
        )
        if not made.compute_type.startswith(compute):  # it falls back without a word
            raise RuntimeError(f"{compute} is not to be had here: CTranslate2 took {made.compute_type}")
        return made

    def play(self, setting: Setting) -> Turn:
        """Translate everything once; sorting by length and cutting into batches is CTranslate2's own."""
        translator = self.translator(setting["compute"], setting["inter"], setting["intra"])
        few = setting.get("inputs")
        started = time.perf_counter()
        results = translator.translate_batch(
            self.sources[:few],
            beam_size=setting["beam"],
            max_batch_size=setting["batch"],
            batch_type=setting["unit"],
            length_penalty=self.penalty,
            max_decoding_length=self.longest,
            max_input_length=0,
            return_attention=setting["attention"],
            return_scores=True,
        )
        rows = [len(one.attention[0]) for one in results] if setting["attention"] else []
        seconds = time.perf_counter() - started
        if any(not row for row in rows):
            raise RuntimeError("an answer without its attention")
        return Turn(seconds, [[self.ids[piece] for piece in one.hypotheses[0]] for one in results])


def main() -> None:
    """Load, then take turns."""
    job, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    about = {"engine": f"CTranslate2 {ctranslate2.__version__}", "mkl": os.environ.get("CT2_USE_MKL", "its own choice")}
    take_turns(Engine(job, folder / "model").play, about)


if __name__ == "__main__":
    main()
