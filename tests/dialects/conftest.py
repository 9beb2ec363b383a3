"""A real server with the shipped translator and toys of other pairs, and keys that it knows but does not ask for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from service.keys import file, key
from tests.house.tree import ROOT
from tests.service.test_serve import serving

PAIRS = (("fr", "de"), ("en", "fr"), ("de", "en"))


class Served(NamedTuple):
    """A server and what opens it."""

    url: str
    key: str
    poor: str  # a key for one request a day

    def ours(self, text: str) -> str:
        """What our own route says of an English text in German."""
        asked = {"text": text, "source": "en", "target": "de", "attention": "none"}
        return str(httpx.post(f"{self.url}/v1/translate", json=asked).json()["results"][0]["text"])


@pytest.fixture(scope="session")
def served(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("dialects")
    zoo = folder / "zoo"
    zoo.mkdir()
    (zoo / "en-de-bahdanau").symlink_to(ROOT / "zoo/en-de-bahdanau")
    for source, target in PAIRS:
        _echo(toys, zoo, source, target)
    good, poor = (_key(folder / "keys", limit) for limit in (None, "1/day"))
    models = ",".join(path.name for path in sorted(zoo.iterdir()))
    told = {"HEED_LINK": "local", "HEED_MODELS": models, "HEED_PRECISION": "auto", "HEED_ROWS": "256"}
    with serving(zoo, folder / "log", HEED_KEYS_FILE=str(folder / "keys"), **told) as server:
        yield Served(str(server.client.base_url).rstrip("/"), good, poor)


def _echo(toys: Path, zoo: Path, source: str, target: str) -> None:
    """The toy that echoes, as if it translated this pair."""
    path = shutil.copytree(toys / "toy-echo", zoo / f"echo-{source}-{target}")
    manifest = path / "manifest.json"
    pair = {"source": source, "target": target}
    changes = {"name": path.name, "pairs": [pair], **pair}
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))


def _key(path: Path, requests: str | None) -> str:
    whole, id_, digest = key.make()
    one = key.Key(id=id_, name="a test", sha256=digest, created=datetime.now(UTC), requests=requests)
    file.change(path, lambda before: [*before, one])
    return whole
