"""Bundles of several pairs, and pairs through English: who is asked, what goes in, and maps over what was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import ValidationError

from bundle.manifest import BadBundle, Bundle, Manifest
from bundle.text import EOS, UNK, train_vocabulary
from bundle.zoo import find
from service.api.cards import cards
from service.engine.session import Session
from service.messages import Done, Hypothesis, Job, Options, Tokens
from service.tasks.contract import Bounds
from service.tasks.translate import TranslateRequest, choose, decode, encode
from service.tasks.ways import legs, through
from tests import fakes
from tests.api.asking import problem
from tests.api.conftest import client_of
from tests.api.sse import events
from tests.fakes import FakeLink

MANY = [["en", "de", "<2de>"], ["en", "fr", "<2fr>"]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    zoo = Path(tmp_path_factory.mktemp("pairs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fakes, "train_vocabulary", partial(train_vocabulary, marks=["<2de>", "<2fr>"]))
        fakes.tiny_bundle(zoo, "from-en", source=None, target=None, pairs=MANY)
    pairs = [["de", "en"], ["fr", "en"], ["es", "en"]]
    fakes.tiny_bundle(zoo, "to-en", source=None, target=None, pairs=pairs)
    return {bundle.manifest.name: bundle for bundle in find(zoo)}


def asked(**fields: Any) -> TranslateRequest:
    return TranslateRequest(**{"text": "the dog", **fields})


def manifest(**changes: Any) -> Manifest:
    return Manifest.model_validate({**fakes.described("x"), "digests": {}, **changes})


def test_a_source_and_a_target_are_one_pair_and_shared_languages_are_told() -> None:
    (pair,) = manifest().pairs
    assert (pair.source, pair.target, pair.tag) == ("en", "de", None)
    many = manifest(source=None, target=None, pairs=MANY)
    assert (many.source, many.target, many.languages) == ("en", None, "en-de+fr")
    assert Manifest.model_validate(many.model_dump(mode="json")) == many


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": None, "target": None},
        {"pairs": [["fr", "de"]]},
        {"source": None, "target": None, "pairs": [["en", "de"], ["en", "fr"]]},
        {"source": None, "target": None, "pairs": [["en", "de"], ["en", "de", "<2de>"]]},
        {"task": "caption", "input": "image", "source": None, "pairs": [["en", "de"]]},
    ],
)
def test_pairs_that_cannot_be_told_apart_are_no_manifest(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        manifest(**wrong)


def test_the_tag_of_the_pair_goes_in_first_and_a_text_cannot_hold_one(bundles: dict[str, Bundle]) -> None:
    bundle = bundles["from-en"]
    for target in ("de", "fr"):
        (one,) = encode(asked(target=target, text=f"the <2{target}> dog"), bundle, Bounds(), bundles)
        ids = one.job.inputs["source"].tolist()
        assert ids[0] == bundle.text.id(f"<2{target}>") != UNK
        assert ids[-1] == EOS
        assert ids[0] not in ids[1:]


def test_a_tag_that_the_vocabulary_lacks_is_a_bad_bundle(tmp_path: Path) -> None:
    bundle = Bundle(fakes.tiny_bundle(tmp_path, "x", source=None, target=None, pairs=[["en", "de", "<2xx>"]]))
    with pytest.raises(BadBundle, match="<2xx>"):
        encode(asked(), bundle, Bounds())


def test_a_tags_share_of_attention_is_that_of_the_end_and_its_column_is_never_shown(bundles: dict[str, Bundle]) -> None:
    (one,) = encode(asked(source="en", target="fr"), bundles["from-en"], Bounds(), bundles)
    said = bundles["from-en"].text.ids("the dog")
    size = len(one.job.inputs["source"])
    rows = np.full((len(said), size), 0.5 / (size - 1), np.float32)
    rows[:, 0] = 0.5
    extras = {"window_start": np.zeros(len(said)), "window_end": np.full(len(said), size - 1.0)}
    whole = Done(one.job.id, (Hypothesis(said, np.zeros(len(said), np.float32), 0.0, "stop", rows, extras),), {})
    heard = one.hear([], whole)
    assert isinstance(heard, Done)
    result = decode(asked(target="fr"), bundles["from-en"], one.kept, [heard])
    map_ = result.attention
    assert [item.text for item in map_.keys.items] == ["the", "dog", "</s>"]  # type: ignore[union-attr]
    assert map_.weights.sum(1) == pytest.approx(1)  # type: ignore[union-attr]
    assert map_.weights[0, -1] == pytest.approx(0.5 + 0.5 / (size - 1))  # type: ignore[union-attr]
    assert result.language == "fr"
    every = one.hear([], Tokens(one.job.id, 0, said, np.zeros(len(said), np.float32), rows[:, None, None]))
    assert isinstance(every, Tokens) and every.rows is not None
    assert every.rows.shape == (len(said), 1, 1, size - 1)


def test_what_is_masked_counts_keys_that_can_be_seen_and_the_end_takes_the_tag_along(
    bundles: dict[str, Bundle],
) -> None:
    (one,) = encode(asked(target="fr", constraints={"mask": [0]}), bundles["from-en"], Bounds(), bundles)
    plain = Hypothesis([*bundles["from-en"].text.ids("the")], np.zeros(1, np.float32), 0.0, "stop")
    then = one.then([Done(one.job.id, (plain,), {})])
    assert then is not None and 0 not in then.options.mask and then.options.mask[0] == 1
    (end,) = encode(asked(target="fr", constraints={"mask": [2]}), bundles["from-en"], Bounds(), bundles)
    again = end.then([Done(end.job.id, (plain,), {})])
    assert again is not None and set(again.options.mask) == {0, len(end.job.inputs["source"]) - 1}


def test_one_model_is_chosen_before_two_and_two_go_through_english(bundles: dict[str, Bundle]) -> None:
    ways = {(way[0].pair.source, way[-1].pair.target) for way in through(legs(bundles.values()))}
    assert ways == {("de", "fr"), ("fr", "de"), ("es", "de"), ("es", "fr")}
    assert choose(asked(source="fr", target="en"), bundles).manifest.name == "to-en"
    assert choose(asked(source="es", target="fr"), bundles).manifest.name == "from-en"
    told = {(one.source, one.target): one.models for one in cards(bundles).through}
    assert told["es", "fr"] == ("to-en@0", "from-en@0")


class Tagged(FakeLink):
    """Says what it hears, but for the tag."""

    def hear(self, job: Job) -> tuple[list[int], np.ndarray]:
        heard, rows = super().hear(job)
        first = int(job.model.startswith("from-en"))
        return heard[first:], rows[first:]


@pytest.fixture
async def client(bundles: dict[str, Bundle]) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(Tagged(bundles)) as one:
        yield one


@pytest.mark.anyio
async def test_two_models_answer_as_one_and_the_text_between_is_told(client: httpx.AsyncClient) -> None:
    body = {"text": "the dog\nthe house", "source": "es", "target": "fr"}
    told = (await client.post("/v1/translate", json=body)).json()
    (result,) = told["results"]
    assert told["model"] == "from-en@0"
    assert result["text"] == "the dog\nthe house"
    assert result["via"] == {"text": "the dog\nthe house", "language": "en", "model": "to-en@0"}
    assert result["language"] == "fr"
    first, second = result["attention"]
    assert [item["text"] for item in second["keys"]["items"]] == ["the", "house", "</s>"]
    assert second["keys"]["items"][1]["start"] == 12
    assert np.array(first["weights"]).sum(1) == pytest.approx(1, abs=1e-3)


@pytest.mark.anyio
async def test_a_stream_through_english_tells_tokens_over_the_text_that_was_sent(client: httpx.AsyncClient) -> None:
    body = {"text": "the dog", "source": "de", "target": "fr", "stream": True, "beam_size": 1}
    said = events((await client.post("/v1/translate", json=body)).text)
    keys = said[0].data["keys"]["items"]
    tokens = [one.data for one in said if one.event == "token"]
    assert tokens and all(len(token["attention"]) == len(keys) for token in tokens)
    assert said[-1].data["via"]["text"] == "the dog"


@pytest.mark.anyio
async def test_nothing_is_compared_through_english_and_a_named_model_goes_alone(client: httpx.AsyncClient) -> None:
    body = {"text": "the dog", "source": "de", "target": "fr"}
    told = problem(
        await client.post("/v1/translate", json={**body, "constraints": {"mask": [0]}}), 422, "invalid_request"
    )
    assert told["errors"][0]["pointer"] == "/constraints"
    problem(await client.post("/v1/translate", json={**body, "model": "to-en"}), 422, "unsupported_pair")


@pytest.mark.anyio
async def test_auto_finds_sources_that_lead_to_the_target_through_english_too(client: httpx.AsyncClient) -> None:
    body = {"text": "¿Dónde está el perro?", "source": "auto", "target": "fr"}
    (result,) = (await client.post("/v1/translate", json=body)).json()["results"]
    assert result["detected"]["language"] == "es"
    assert result["via"]["language"] == "en"


def test_a_bundle_of_several_pairs_answers_in_the_engine(toys: Path) -> None:
    from service.engine.offline import answers

    bundle = Bundle(toys / "toy-pairs")
    (one,) = encode(asked(source="en", target="fr"), bundle, Bounds())
    job = Job("1", bundle.id, one.job.inputs, Options(1, max_length=20))
    (done,) = answers(Session(bundle, precision="fp32"), [job])
    heard = one.hear([], done)
    assert isinstance(heard, Done)
    assert decode(asked(target="fr"), bundle, one.kept, [heard]).language == "fr"
    assert "fr → de" in (bundle.path / "README.md").read_text()
