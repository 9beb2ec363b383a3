"""Real inputs for every benchmark: texts from files, a text a line.

Knows nothing of what is measured with them.
"""

from __future__ import annotations

import lzma
from pathlib import Path


def read(*paths: Path) -> list[str]:
    """The texts of some files, one a line, empty ones left out; of a line with tabs, what is before the first."""
    texts = []
    for path in paths:
        content = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        texts += [line.split("\t")[0].strip() for line in content.decode("utf-8").split("\n")]
    return [text for text in texts if text]
