"""What goes into the engine for a text, and which bundle it goes to."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.manifest import Bundle
from bundle.text import EOS
from bundle.zoo import find
from service.errors import Meaningless, UnknownModel, UnknownPair
from service.tasks.contract import Bounds
from service.tasks.translate import TranslateRequest, choose, encode
from tests.fakes import captioner, tiny_bundle


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    zoo = tmp_path_factory.mktemp("zoo")
    tiny_bundle(zoo, "b-en-de")
    tiny_bundle(zoo, "a-en-de")
    tiny_bundle(zoo, "c-fr-de", source="fr")
    captioner(zoo)
    return {bundle.manifest.name: bundle for bundle in find(zoo)}


def asked(**fields) -> TranslateRequest:
    return TranslateRequest(**{"text": "the house", **fields})


def test_the_ids_of_a_text_end_in_eos(bundles) -> None:
    (one,) = encode(asked(), bundles["a-en-de"], Bounds())
    ids = one.job.inputs["source"]
    assert ids.tolist() == [*bundles["a-en-de"].text.ids("the house"), EOS]
    assert ids.dtype == np.int64
    assert one.job.model == "a-en-de@0"


def test_the_first_model_of_a_pair_is_its_default(bundles) -> None:
    assert choose(asked(source="en", target="de"), bundles).manifest.name == "a-en-de"
    turned = dict(reversed(bundles.items()))
    assert choose(asked(source="en", target="de"), turned).manifest.name == "b-en-de"


def test_language_codes_are_the_same_in_capitals(bundles) -> None:
    assert choose(asked(source="FR", target="De"), bundles).manifest.name == "c-fr-de"


def test_a_target_may_be_left_out_where_there_is_only_one(bundles) -> None:
    assert choose(asked(source="fr"), bundles).manifest.name == "c-fr-de"


def test_a_source_is_asked_for_where_there_are_several(bundles) -> None:
    with pytest.raises(Meaningless, match="en, fr"):
        choose(asked(target="de"), bundles)


def test_a_captioner_serves_no_pair(bundles) -> None:
    with pytest.raises(UnknownPair):
        choose(asked(target="en"), bundles)


def test_where_nothing_translates_that_is_said(bundles) -> None:
    with pytest.raises(UnknownModel, match="none"):
        choose(asked(), {"tiny-caption": bundles["tiny-caption"]})


def test_rows_are_asked_of_the_engine_for_a_map_or_an_alignment_and_else_not(bundles) -> None:
    def rows(**fields) -> bool:
        return encode(asked(**fields), bundles["a-en-de"], Bounds())[0].job.options.attention

    assert (rows(), rows(attention="hard"), rows(attention="none", alignment=True), rows(attention="none")) == (
        True, True, True, False,
    )  # fmt: skip
