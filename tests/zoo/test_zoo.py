"""The bundles that are shipped: they load, they say something sensible, and their maps are their own."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from bundle.image import read
from bundle.manifest import Bundle
from bundle.text import EOS
from bundle.zoo import find
from models.recipe import read as recipe
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.messages import Done, Hypothesis, Job, Options
from service.tasks.contract import Bounds
from service.tasks.translate import TranslateRequest, choose, decode, encode

ZOO = Path("zoo")
PHOTOS = Path("docs/photos")
SENTENCES = ("A small dog runs across the grass.", "Two women are sitting on a bench.", "I like tea.")


@pytest.fixture(scope="module")
def sessions() -> dict[str, Session]:
    share_threads(2)
    return {bundle.manifest.name: Session(bundle) for bundle in find(ZOO)}


def text_inputs(bundle: Bundle) -> list[dict[str, np.ndarray]]:
    return [{"source": np.array([*bundle.text.ids(text), EOS], np.int64)} for text in SENTENCES]


def inputs(bundle: Bundle) -> list[dict[str, np.ndarray]]:
    """Real inputs for a bundle: sentences, or the photographs of the documentation."""
    if bundle.manifest.input == "text":
        return text_inputs(bundle)
    return [{"pixels": read(path.read_bytes()).pixels} for path in sorted(PHOTOS.glob("*.jpg"))]


def best(session: Session, some: list[dict[str, np.ndarray]], **options: object) -> list[Hypothesis]:
    jobs = [Job(str(i), "zoo", one, Options(max_length=40, **options)) for i, one in enumerate(some)]  # type: ignore[arg-type]
    return [done.hypotheses[0] for done in answers(session, jobs, newcomers=4)]


def test_the_issues_two_models_are_shipped() -> None:
    assert {"en-de-bahdanau", "caption-soft"} <= {bundle.manifest.name for bundle in find(ZOO)}


def test_the_zoo_stays_small() -> None:
    assert sum(path.stat().st_size for path in ZOO.rglob("*") if path.is_file()) < 150e6


@pytest.mark.parametrize("bundle", find(ZOO), ids=lambda bundle: bundle.manifest.name)
def test_a_bundle_is_what_its_recipe_would_make(bundle: Bundle) -> None:
    told = bundle.manifest.model_dump(mode="json", exclude={"pairs"})
    asked = recipe(Path("models/recipes") / f"{bundle.manifest.name}.json")["card"]
    assert asked["version"] and asked["search"]
    assert {field: told[field] for field in asked.keys() & told.keys()} == {f: asked[f] for f in asked if f != "pairs"}


@pytest.mark.parametrize("name", ["en-de-bahdanau", "caption-soft", "x-en-bahdanau", "en-x-bahdanau"])
def test_a_card_names_its_data_its_terms_and_a_score_with_its_command(name: str) -> None:
    told = Bundle(ZOO / name).manifest
    assert told.trained_on and told.licence and told.scores
    printing = tuple(f"python -m export {name}" for name in ("score", "trust", "align"))
    assert all(one.command.startswith(printing) for one in told.scores)
    card = (ZOO / name / "README.md").read_text()
    assert told.licence in card and all(f"{one.value:.4g}" in card for one in told.scores)


def test_a_translation_is_german_and_its_dog_looks_at_the_dog(sessions: dict[str, Session]) -> None:
    bundle = Bundle(ZOO / "en-de-bahdanau")
    found = best(sessions["en-de-bahdanau"], text_inputs(bundle)[:1])[0]
    said, pieces = bundle.text.spelled(list(found.ids))
    assert "Hund" in said and "Gras" in said and found.finish_reason == "stop"
    hund = next(i for i, piece in enumerate(pieces) if piece.text == "Hund")
    source = bundle.text.pieces(SENTENCES[0])
    assert found.rows is not None and source[int(found.rows[hund].argmax())].text == "dog"


@pytest.mark.parametrize(
    ("source", "target", "text", "wanted"),
    [
        ("en", "fr", "I like tea.", "thé"),
        ("en", "es", "I like tea.", "té"),
        ("de", "en", "Ich mag Tee.", "tea"),
        ("fr", "en", "J'aime le thé.", "tea"),
        ("es", "en", "Me gusta el té.", "tea"),
        ("fr", "de", "J'aime le thé.", "Tee"),
    ],
)
def test_every_direction_is_translated_some_by_two_models(
    sessions: dict[str, Session], source: str, target: str, text: str, wanted: str
) -> None:
    bundles = {bundle.manifest.name: bundle for bundle in find(ZOO)}
    asked = TranslateRequest(text=text, source=source, target=target, attention="none")
    bundle = choose(asked, bundles)
    (one,) = encode(asked, bundle, Bounds(), bundles)
    done: list[Done] = []
    job: Job | None = one.job
    while job is not None:
        (said,) = answers(sessions[job.model.split("@")[0]], [job])
        done.append(cast("Done", one.hear(done, said)))
        job = one.then(done)
    assert wanted in decode(asked, bundle, one.kept, done).text
    assert len(done) == 1 + ("en" not in (source, target))


def test_captions_are_words_with_a_map_over_the_whole_grid_and_a_gate(sessions: dict[str, Session]) -> None:
    bundle = Bundle(ZOO / "caption-soft")
    for found in best(sessions["caption-soft"], inputs(bundle)):
        assert len(bundle.text.text(list(found.ids)).split()) >= 4 and found.finish_reason == "stop"
        assert found.rows is not None and found.rows.shape == (len(found.ids), 14 * 14)
        np.testing.assert_allclose(found.rows.sum(1), 1, atol=1e-4)
        assert ((found.extras["gate"] > 0) & (found.extras["gate"] < 1)).all()


@pytest.mark.parametrize("name", ["en-de-bahdanau", "caption-soft"])
def test_the_best_map_is_that_of_a_forced_decode(sessions: dict[str, Session], name: str) -> None:
    some = inputs(Bundle(ZOO / name))
    searched = best(sessions[name], some, beam_size=5)
    for one, found in zip(some, searched, strict=True):
        forced = best(sessions[name], [one], beam_size=1, prefix=tuple(found.ids))[0]
        assert list(forced.ids) == list(found.ids)
        assert forced.rows is not None and found.rows is not None
        np.testing.assert_allclose(forced.rows, found.rows, atol=0.02)  # int8: a rounding may fall the other way


@pytest.mark.parametrize("name", ["en-de-bahdanau", "caption-soft"])
def test_neighbours_do_not_matter_to_a_shipped_model(sessions: dict[str, Session], name: str) -> None:
    some = inputs(Bundle(ZOO / name))
    for one, together in zip(some, best(sessions[name], some), strict=True):
        alone = best(sessions[name], [one])[0]
        assert list(alone.ids) == list(together.ids)
