"""The benchmark counts what it says it counts. No figure of speed is asserted."""

from __future__ import annotations

from pathlib import Path

from bench.engine import measure
from bundle.manifest import Bundle
from service.engine.session import Session
from service.messages import Options


def test_sentences_tokens_and_steps_are_counted_and_the_session_is_left_as_it_was(toys: Path) -> None:
    bundle = Bundle(toys / "toy-echo")
    session = Session(bundle, precision="fp32")
    stepper = session.stepper
    texts = ["the lazy dog", "a small house"]
    found = measure(session, bundle, texts, Options(1, max_length=48), rows=8, runs=3)
    pieces = sum(len(bundle.text.ids(text)) + 1 for text in texts)
    assert round(found.tokens / found.sentences * len(texts)) == pieces
    assert found.steps == max(len(bundle.text.ids(text)) for text in texts) + 1
    assert found.attention and 0 < found.host_share < 1
    assert session.stepper is stepper
