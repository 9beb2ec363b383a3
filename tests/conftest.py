"""Toy bundles, made once a test run: tiny, seeded, and each with a reason to exist."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from bundle.manifest import Bundle
from service.engine.session import Session, share_threads

ROOT = Path(__file__).parents[1]
MAKERS = ("bundle", "models/attention", "models/nets", "export", "service/engine")


@pytest.fixture(scope="session")
def toys(pytestconfig: pytest.Config) -> Path:
    """A folder with every toy bundle, in fp32 and int8; made anew when anything that makes them has changed."""
    from export.toy import TOYS, toy  # torch is needed to make toys, not to serve them

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    share_threads(2)
    made_by = hashlib.sha256()
    for path in sorted(path for room in MAKERS for path in (ROOT / room).rglob("*.py")):
        made_by.update(path.read_bytes())
    folder = Path(pytestconfig.cache.mkdir(f"toys-{made_by.hexdigest()[:16]}"))
    for name in TOYS:
        if not (folder / name / "manifest.json").exists():  # the last file that is written
            toy(folder, name)
    return folder


@pytest.fixture(scope="session")
def echo(toys: Path) -> Session:
    """A session whose answer is its input, and whose map is the identity."""
    return Session(Bundle(toys / "toy-echo"), precision="fp32")


@pytest.fixture(scope="session")
def recurrent(toys: Path) -> Session:
    """A session over an untrained translator: its beams cross and its attention wanders."""
    return Session(Bundle(toys / "toy-recurrent"), precision="fp32")


@pytest.fixture(scope="session")
def transformer(toys: Path) -> Session:
    """A session over an untrained Transformer: what it says hangs on every step before."""
    return Session(Bundle(toys / "toy-transformer"), precision="fp32")


@pytest.fixture(scope="session")
def request_caches(toys: Path) -> Session:
    """The same Transformer with caches of a request instead of a row."""
    return Session(Bundle(toys / "toy-request"), precision="fp32")


@pytest.fixture(scope="session", params=["recurrent", "transformer", "request_caches"])
def net(request: pytest.FixtureRequest) -> Session:
    """Each untrained net in turn: state that is replaced, caches that grow, a row's and a request's."""
    found: Session = request.getfixturevalue(request.param)
    return found
