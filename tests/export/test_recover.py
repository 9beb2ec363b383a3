"""Weights that come back out of a bundle: those that went in, or as near as int8 kept them, and a run can go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bundle.manifest import Bundle
from bundle.text import PAD
from export.lean import lean
from export.parity import NotEqual, compare, demand
from export.recover import UNSAID, _constants, _stepper, check, main, recovered
from export.samples import source
from export.toy import PIECES, SENTENCES, recurrent_net, transformer_net
from export.translator import SILENT
from models.nets.translator import RecurrentTranslator
from models.recipe import read
from models.tasks.translation import Translator, translator
from service.engine.session import Session

TOYS: dict[str, Callable[[int], Translator]] = {
    "toy-recurrent": recurrent_net,
    "toy-transformer": transformer_net,
    "toy-request": transformer_net,
}


@pytest.mark.parametrize("name", sorted(TOYS))
def test_a_net_with_the_weights_of_a_bundle_says_what_the_bundle_says(name: str, toys: Path) -> None:
    bundle = Bundle(toys / name)
    net = TOYS[name](bundle.manifest.vocabulary_size)
    kept = recovered(bundle, net, "fp32")
    check(bundle, net, kept, "fp32")
    assert net.bias[PAD] == SILENT, "as an exported net has it"
    stepper = _stepper(bundle, net)
    inputs = [source(bundle.text, text) for text in SENTENCES]
    demand(compare(stepper, Session(bundle, precision="fp32"), inputs, forced=False), exact=True)
    rounded = recovered(bundle, net, "int8")
    for weight, value in kept.items():
        assert (value - rounded[weight]).abs().max() <= value.abs().max() / 120, weight


def test_constants_that_are_kept_as_float16_are_found_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = onnx.load("zoo/en-de-small-none/encode.int8.onnx")  # made before they were
    monkeypatch.setattr("export.lean.LEAST", 256)
    found, expected = _constants(lean(whole)), _constants(whole)
    assert any(one.data_type == TensorProto.FLOAT16 for one in lean(whole).graph.initializer)
    for shape, arrays in expected.items():
        for value, wanted in zip(found[shape], arrays, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-3, atol=1e-6)
    assert found.keys() == expected.keys()


def test_two_constants_of_one_node_and_one_shape_are_found_in_the_order_it_reads_them() -> None:
    first, second = (np.full((64, 256), value, np.float32) for value in (1, 2))
    constants = [numpy_helper.from_array(first, "z"), numpy_helper.from_array(second, "a")]  # as a GRU's W and R may be
    node = helper.make_node("Add", ["z", "a"], ["sum"])
    model = helper.make_model(helper.make_graph([node], "g", [], [], constants))
    for graph in (model, lean(model)):
        assert [array[0, 0] for array in _constants(graph)[(64, 256)]] == [1, 2]


def test_pieces_that_a_bundle_never_says_may_be_learned_again() -> None:
    bundle = Bundle(Path("zoo/en-de-small-none"))
    net = translator(bundle.manifest.vocabulary_size, read(Path("models/recipes/en-de-small-none.json"))["net"])
    bias = recovered(bundle, net)["bias"]
    assert bias[PAD] == bias.min() == bias.sort().values[3] > SILENT / 2
    assert bias[bias > bias.min()].min() == pytest.approx(float(bias.min()) + UNSAID, abs=1e-5)


def test_what_a_bundle_never_says_is_not_held_against_the_net() -> None:
    bundle = Bundle(Path("zoo/en-de-small-none"))
    net = translator(bundle.manifest.vocabulary_size, read(Path("models/recipes/en-de-small-none.json"))["net"])
    kept = recovered(bundle, net)
    unsaid = kept["bias"] == kept["bias"].min()
    check(bundle, net, {**kept, "bias": torch.where(unsaid, 50.0, kept["bias"])})


def test_a_net_of_another_width_is_refused(toys: Path) -> None:
    net = RecurrentTranslator(PIECES, embedding=16, encoder=12, decoder=24, attention_width=14)
    with pytest.raises(ValueError, match="this net"):
        recovered(Bundle(toys / "toy-recurrent"), net, "fp32")


def test_weights_with_which_a_net_looks_elsewhere_are_not_believed(toys: Path) -> None:
    bundle = Bundle(toys / "toy-recurrent")
    net = recurrent_net(bundle.manifest.vocabulary_size)
    kept = recovered(bundle, net, "int8")
    check(bundle, net, kept)
    with pytest.raises(NotEqual):
        check(bundle, net, {**kept, "recurrent.weight": -kept["recurrent.weight"]})


def test_a_run_begins_where_the_bundle_ended(toys: Path, tmp_path: Path) -> None:
    content = {"task": "translation", "net": {"embedding": 16, "encoder": 12, "decoder": 20, "attention_width": 14}}
    (tmp_path / "recipe.json").write_text(json.dumps(content))
    out = tmp_path / "run" / "start"
    assert main([str(toys / "toy-recurrent"), "--recipe", str(tmp_path / "recipe.json"), "--out", str(out)]) == 0
    kept = torch.load(out / "best.pt", weights_only=True)
    assert kept["recipe"] == content
    assert kept["figures"] == {"step": 0, "minutes": 0.0}
    assert (out / "done").exists()
    assert (out / "vocabulary.model").read_bytes() == (toys / "toy-recurrent" / "vocabulary.model").read_bytes()
