"""What all contestants are given, in one file: the same inputs as ids or picture files, and the same bounds.

Knows nothing of contestants.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.texts import read
from bundle.manifest import Bundle
from bundle.text import EOS

PICTURES = {".jpg", ".jpeg", ".png"}


def texts_for(bundle: Bundle, paths: Sequence[Path], most: int | None) -> list[str]:
    """The texts that the model can read, the first `most` of them."""
    longest = bundle.manifest.limits.source
    return [text for text in read(*paths) if len(bundle.text.ids(text)) < longest][:most]


def write_texts(bundle: Bundle, texts: Sequence[str], path: Path) -> Path:
    """A job of texts."""
    return _write(bundle, {"sources": [[*bundle.text.ids(text), EOS] for text in texts]}, path)


def write_pictures(bundle: Bundle, folder: Path, most: int | None, path: Path) -> Path:
    """A job of picture files.

    Raises:
        ValueError: the bundle reads no pictures, or there are none.
    """
    looks = bundle.manifest.image
    files = sorted(str(one.resolve()) for one in folder.iterdir() if one.suffix.lower() in PICTURES)[:most]
    if looks is None or not files:
        raise ValueError(f"no pictures in {folder}, or a bundle that reads none")
    image = {"size": looks.size, "mean": looks.mean, "scale": looks.scale}
    return _write(bundle, {"pictures": files, "image": image}, path)


def _write(bundle: Bundle, inputs: dict[str, Any], path: Path) -> Path:
    """The inputs, the vocabulary, and how far and by which penalty to search."""
    told, processor = bundle.manifest, bundle.text.processor
    pieces = [processor.IdToPiece(i) for i in range(len(bundle.text))]
    job = {**inputs, "pieces": pieces, "longest": told.limits.target, "penalty": told.search.length_penalty}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(job))
    return path.absolute()
