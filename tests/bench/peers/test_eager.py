"""The search that PyTorch is measured with is the engine's own: same answers, same maps, beam and greedy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bench.peers.inside.eager import Recurrent, Steps, Transformer, decode
from bundle.text import BOS, EOS, PAD, UNK
from export.toy import SENTENCES, recurrent_net, transformer_net
from export.translator import SILENT
from models.data import padded
from service.engine.offline import answers
from service.engine.session import Session
from service.messages import Job, Options

LONGEST = 30
NETS: dict[str, tuple[Any, Any]] = {
    "toy-recurrent": (recurrent_net, Recurrent),
    "toy-transformer": (transformer_net, Transformer),
}


def net_of(session: Session) -> Steps:
    """The toy's net again, from its seed, as export leaves it: without a say for pieces that no search may say."""
    torch.manual_seed(1)
    makes, steps = NETS[session.manifest.name]
    net = makes(session.manifest.vocabulary_size).eval()
    with torch.no_grad():
        net.bias[[PAD, UNK, BOS]] = SILENT
    found: Steps = steps(net)
    return found


@pytest.fixture(params=["recurrent", "transformer"])
def session(request: pytest.FixtureRequest) -> Session:
    found: Session = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("beam", [1, 2, 5])
def test_eager_and_engine_say_the_same_and_look_at_the_same(session: Session, beam: int, toy_ids) -> None:
    options = Options(beam, max_length=LONGEST, length_penalty=0.7, attention=True, heads=True)
    jobs = [Job(str(i), "toy", {"source": np.array(ids)}, options) for i, ids in enumerate(toy_ids)]
    expected = [one.hypotheses[0] for one in answers(session, jobs, repeats=0)]  # eager may loop
    sources = torch.from_numpy(padded(toy_ids))
    found = decode(
        net_of(session),
        sources,
        beam=beam,
        longest=LONGEST,
        penalty=0.7,
        attention=True,
    )
    for ids, one, wanted in zip(toy_ids, found, expected, strict=True):
        assert one.ids == list(wanted.ids)
        assert one.rows is not None and wanted.rows is not None
        np.testing.assert_allclose(one.rows.numpy()[..., : len(ids)], wanted.rows, atol=2e-4)


@pytest.fixture
def toy_ids(session: Session, toys) -> list[list[int]]:
    from bundle.manifest import Bundle

    text = Bundle(toys / session.manifest.name).text
    ids = [[*text.ids(one), EOS] for one in SENTENCES]
    assert len({len(one) for one in ids}) > 3 and PAD not in ids[0]
    return ids
