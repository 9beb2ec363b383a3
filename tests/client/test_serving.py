"""Both clients against a running server: every route, its types, and its maps."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest

from client import Done, Heed, HypothesisEvent, Refused, Start, TextKeys, TokenEvent
from client.maps import GridKeys
from tests.client.conftest import following, got, left

pytestmark = pytest.mark.anyio
DOG = "A small dog runs across the grass."
PHOTO = Path("docs/photos/astronaut.jpg")
PIXELS = PHOTO.read_bytes()


async def test_a_translation_has_its_text_its_map_and_its_confidence(heed) -> None:
    answer = await got(heed.translate(DOG, source="en", target="de", model="en-de-bahdanau"))
    assert answer.text == str(answer[0]) == "Ein kleiner Hund rennt über das Gras."
    (map_,) = answer[0].maps
    weights = map_.to_numpy()
    assert isinstance(map_.keys, TextKeys)
    assert weights.shape == (len(map_.queries), len(map_.keys.items))
    assert np.allclose(weights.sum(1), 1, atol=1e-2)
    assert [DOG[key.start : key.end] for key in map_.keys.items[:-1]] == [key.text for key in map_.keys.items[:-1]]
    assert 0 < answer[0].confidence < 1 and all(0 < query.confidence < 1 for query in map_.queries)
    assert answer.raw["results"][0]["text"] == answer.text


async def test_several_texts_are_answered_in_order_with_every_option(heed) -> None:
    texts = ["the old house", "a red ball"]
    answer = await got(heed.translate(texts, model="toy-echo", n_best=2, beam_size=3, alternatives=2, unit="piece"))
    assert answer.texts == texts == [one.text for one in answer]
    assert len(answer[0].hypotheses) == 2 and len(answer[1].alternatives[0].choices) == 2
    assert answer[0]._repr_html_().count("<table") == 1 and answer._repr_html_().count("<table") == 2


async def test_constraints_a_prefix_and_what_a_newer_server_knows_reach_the_server(heed) -> None:
    answer = await got(heed.translate("the old house", model="toy-echo", constraints={"mask": [0]}))
    assert answer[0].unconstrained.text == "the old house" and answer[0].difference is not None
    with pytest.raises(Refused) as refused:
        await got(heed.translate("house", model="toy-echo", extra={"newer": 1}))
    assert [where.pointer for where in refused.value.errors] == ["/newer"]


async def test_a_picture_is_its_path_or_its_bytes_and_its_words_lie_over_it(heed) -> None:
    by_path = await got(heed.caption(PHOTO, model="caption-soft", translate_to="de"))
    by_bytes = await got(heed.caption(PIXELS, model="caption-soft"))
    assert by_path.text == by_bytes.text == "a man in a red shirt"
    keys = by_path[0].maps[0].keys
    assert isinstance(keys, GridKeys) and by_path[0].maps[0].to_numpy().shape[1:] == (keys.rows, keys.cols)
    drawn = by_path[0]._repr_html_()
    assert drawn.count("data:image/jpeg;base64") == 2  # once for each map, however many words it has
    assert drawn.count("<use") == len(by_path[0].maps[0].queries) + len(by_path[0].translation.maps[0].queries)


async def test_a_given_translation_is_scored(heed) -> None:
    said = ["Ein kleiner Hund rennt über das Gras.", "Eine große Katze schläft."]
    right, wrong = await got(heed.score([DOG, DOG], said, source="en", target="de", model="en-de-bahdanau"))
    assert right.logprob > wrong.logprob and right.confidence > wrong.confidence
    assert right.logprob == pytest.approx(sum(piece.logprob for piece in right.tokens), abs=1e-4)
    assert [word.text for word in wrong.words] == ["Eine", "große", "Katze", "schläft", "."]


async def test_models_are_compared_and_have_cards(heed) -> None:
    found = await got(heed.compare(["toy-echo", "en-de-bahdanau"], text="A dog."))
    assert [one.model.split("@")[0] for one in found.answers] == ["toy-echo", "en-de-bahdanau"]
    assert "toy-echo" in found._repr_html_()
    cards = {card.name: card for card in await got(heed.models())}
    assert (cards["en-de-bahdanau"].source, cards["caption-soft"].source) == ("en", None)
    card = await got(heed.model("en-de-bahdanau"))
    assert card.id == cards["en-de-bahdanau"].id and card.raw["statistics"] is not None
    assert set((await got(heed.health())).models) >= set(cards)


async def test_languages_are_found_out_and_a_long_text_has_a_map_for_each_sentence(heed) -> None:
    english, german = await got(heed.detect(["the old house by the river", "ein kleiner Hund"], among=["en", "de"]))
    assert (english.language, german.language) == ("en", "de")
    assert [guess.language for guess in german.guesses] == ["de", "en"] and german.confidence > 0.5
    answer = await got(heed.translate(f"{DOG} I like tea.\n\nGood morning.", source="auto", target="de"))
    assert answer[0].detected.language == "en" and len(answer[0].maps) == 3
    assert answer[0]._repr_html_().count("<table") == 3
    assert 0 < answer[0].confidence < 1


async def test_an_error_has_its_code_its_places_and_its_request(heed) -> None:
    with pytest.raises(Refused) as unknown:
        await got(heed.translate("house", model="nobody"))
    assert (unknown.value.code, unknown.value.status) == ("unknown_model", 404)
    with pytest.raises(Refused) as empty:
        await got(heed.translate(["house", " "], model="toy-echo"))
    told = empty.value
    assert (told.code, told.errors[0].pointer) == ("text_empty", "/text/1")
    assert told.request_id


async def test_a_greedy_stream_tells_final_tokens_and_then_the_whole_answer(heed) -> None:
    stream = heed.stream_translate(DOG, model="en-de-bahdanau", beam_size=1)
    start, *tokens, done = [event async for event in following(stream)]
    assert isinstance(start, Start) and isinstance(done, Done)
    assert all(isinstance(token, TokenEvent) for token in tokens)
    assert "".join(token.text for token in tokens) == done.result.text == "Ein kleiner Hund rennt über das Gras."
    assert isinstance(start.keys, TextKeys) and len(done.result.maps) == 1
    assert len(tokens[0].attention) == len(start.keys.items)


async def test_a_beams_stream_tells_revisions_that_add_up(heed) -> None:
    said: list[str] = []
    async for event in following(heed.stream_translate(DOG, model="en-de-bahdanau")):
        if isinstance(event, HypothesisEvent):
            said[event.kept :] = [token.text for token in event.tokens]
            assert "".join(said) == event.text
    assert said and isinstance(event, Done)


async def test_who_leaves_a_stream_is_no_longer_worked_for(heed, url) -> None:
    before = cancelled(url)
    stream = heed.stream_translate(["house " * 14] * 60, model="toy-recurrent", beam_size=8)
    async for event in following(stream):
        assert isinstance(event, Start)
        break
    await left(stream)
    for _ in range(1000):
        if cancelled(url) > before:
            break
        await asyncio.sleep(0.02)
    assert cancelled(url) > before
    assert [event async for event in following(stream)] == []


def cancelled(url: str) -> float:
    """Jobs that the server gave up because nobody waited."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("heed_cancelled_total"))


def test_a_stream_is_left_at_the_end_of_with_and_a_client_too(url) -> None:
    with Heed(url) as heed, heed.stream_translate("house", model="toy-echo") as stream:
        assert isinstance(next(stream), Start)
    assert stream.streamed.over and heed.http.is_closed
