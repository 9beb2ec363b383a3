"""Toy bundles, made once a test run: tiny, seeded, and each with a reason to exist."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bundle.manifest import Bundle
from service.engine.session import Session, share_threads


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every toy bundle, in fp32 and int8."""
    from export.toy import TOYS, toy  # torch is needed to make toys, not to serve them

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    share_threads(2)
    folder = tmp_path_factory.mktemp("toys")
    for name in TOYS:
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


@pytest.fixture(scope="session", params=["recurrent", "transformer"])
def net(request: pytest.FixtureRequest) -> Session:
    """Each untrained net in turn: state that is replaced, caches that grow."""
    found: Session = request.getfixturevalue(request.param)
    return found
