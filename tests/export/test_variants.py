"""Every attention of the folder goes through the whole export: the engine agrees with torch, also on its windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bundle.manifest import Bundle
from bundle.text import BOS, Vocabulary
from export.build import build
from export.samples import source
from export.toy import SENTENCES, described, variant_plan
from export.translator import TranslatorStepper
from models.attention import variants
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.messages import Job, Options


@pytest.mark.slow
@pytest.mark.parametrize("name", variants())
def test_words_rows_and_windows_of_the_engine_are_those_of_torch(name: str, tmp_path: Path, toys: Path) -> None:
    share_threads(2)
    torch.manual_seed(1)
    path = toys / "toy-echo" / "vocabulary.model"
    vocabulary = Vocabulary(path)
    plan = variant_plan(name)(len(vocabulary))
    inputs = [source(vocabulary, text) for text in SENTENCES[:4]]
    told = build(tmp_path / name, plan, path, described("toy-x"), inputs, precisions=("fp32", "int8"))
    assert float(told.made_with["fp32_rows_max"]) < 1e-4 and told.made_with["int8_tokens_differ"] == "0"
    if "window_start" not in told.extras:
        return
    session = Session(Bundle(tmp_path / name), precision="fp32")
    (done,) = answers(session, [Job("one", "toy-x", inputs[0], Options(1, max_length=6))])
    assert isinstance(plan.stepper, TranslatorStepper)
    net, said = plan.stepper.net, done.hypotheses[0]
    with torch.no_grad():
        memory, keys, mask, state = net.begin(torch.from_numpy(inputs[0]["source"])[None])
        for t, token in enumerate([BOS, *said.ids[:-1]]):
            _, state, seen = net.step(torch.tensor([[token]]), state, memory, keys, mask)
            assert seen.window is not None
            found = [said.extras["window_start"][t], said.extras["window_end"][t]]
            np.testing.assert_allclose(found, seen.window[0, 0], atol=1e-4)
