"""A captioner of toy size over the real trunk goes through the whole export, and the engine agrees with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bundle.manifest import Bundle
from bundle.text import Vocabulary
from export.build import build
from export.captioner import plan
from models.nets.captioner import Captioner
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.messages import Job, Options


@pytest.mark.slow
@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_words_rows_and_gates_of_the_engine_are_those_of_torch(tmp_path: Path, toys: Path, hard: bool) -> None:
    share_threads(2)
    torch.manual_seed(1)
    vocabulary = toys / "toy-echo" / "vocabulary.model"
    net = Captioner(len(Vocabulary(vocabulary)), hard=hard, memory=12, embedding=10, decoder=14, attention_width=8)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.4)
    random = np.random.default_rng(1)
    pictures = [{"pixels": random.standard_normal((3, 224, 224)).astype(np.float32)} for _ in range(3)]
    described = {
        "name": "toy-caption", "version": "0", "architecture": "toy", "description": "A toy.", "target": "en",
        "limits": {"source": 196, "target": 12}, "trained_on": ["nothing"], "licence": "Apache-2.0",
    }  # fmt: skip
    build(
        tmp_path / "toy-caption",
        plan(net),
        vocabulary,
        described,
        pictures,
        precisions=("fp32", "int8")[: 1 if hard else 2],
    )
    told = Bundle(tmp_path / "toy-caption").manifest
    assert told.extras == (("gate", "sampled") if hard else ("gate",))
    assert told.image is not None and told.image.rows * told.image.cols == 196
    assert float(told.made_with["fp32_rows_max"]) < 1e-4
    if hard:
        session = Session(Bundle(tmp_path / "toy-caption"), precision="fp32")
        said = answers(session, [Job("one", "toy-caption", pictures[0], Options(3, max_length=6))])[0].hypotheses[0]
        assert said.rows is not None
        np.testing.assert_array_equal(said.extras["sampled"], said.rows.argmax(1))
