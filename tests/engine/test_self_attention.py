"""The best answer comes with the self-attention that said it, if every layer and head was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.engine.offline import answers
from service.engine.replies import end
from service.engine.sequence import Sequence
from service.engine.session import Session
from service.errors import EngineFailed
from service.messages import Done
from tests.engine.jobs import job, sentence

FULL: dict[str, Any] = {"beam_size": 3, "n_best": 2, "max_length": 12, "heads": True}


def test_it_is_that_of_the_answer_whoever_shared_the_batch(transformer: Session) -> None:
    random = np.random.default_rng(1)
    jobs = [job(sentence(random, i + 3), str(i), **FULL) for i in range(4)]
    for one, done in zip(jobs, answers(transformer, jobs), strict=True):
        best, second = done.hypotheses
        source, steps = len(one.inputs["source"]), len(best.ids)
        encoder, decoder = best.extras["encoder_self"], best.extras["decoder_self"]
        assert encoder.shape[2:] == (source, source) and decoder.shape[2:] == (steps, steps)
        assert np.allclose(encoder.sum(-1), 1, atol=1e-5) and np.allclose(decoder.sum(-1), 1, atol=1e-5)
        assert np.triu(decoder[0, 0], 1).max() < 1e-9, "no step looks at what comes after it"
        alone = transformer.self_attention(one.inputs["source"], best.ids)
        assert np.array_equal(alone["decoder_self"], decoder)
        assert "encoder_self" not in second.extras


def test_if_it_cannot_be_had_that_guest_alone_fails(transformer: Session, monkeypatch) -> None:
    monkeypatch.setattr(transformer, "self_attention", lambda *_: 1 / 0)
    with pytest.raises(EngineFailed):
        answers(transformer, [job([20, 21], **FULL)])
    assert answers(transformer, [job([20, 21], max_length=6)])[0].hypotheses


def test_who_does_not_ask_for_all_is_told_none(transformer: Session, recurrent: Session) -> None:
    plain = answers(transformer, [job([20, 21], max_length=6)])[0]
    other = answers(recurrent, [job([20, 21], **FULL)])[0]
    assert not {"encoder_self", "decoder_self"} & {*plain.hypotheses[0].extras, *other.hypotheses[0].extras}


class Painter:
    """A session that could tell of a text over itself; of a picture nobody asks it."""

    def self_attention(self, *_: object) -> dict[str, np.ndarray]:
        raise AssertionError


def test_a_picture_is_no_text_over_itself(recurrent: Session) -> None:
    asked = job([20, 21], **FULL)
    guest = Sequence(replace(asked, inputs={"pixels": np.zeros(3)}), lambda _: None, 0.0)
    guest.answers = answers(recurrent, [asked])[0].hypotheses
    assert isinstance(end(Painter(), guest, 1.0), Done)
