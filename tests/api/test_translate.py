"""POST /v1/translate: what a good request gets."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.api.asking import GOOD

pytestmark = pytest.mark.anyio


async def test_an_answer_has_its_text_its_model_and_its_map(client) -> None:
    answer = (await client.post("/v1/translate", json=GOOD)).json()
    (result,) = answer["results"]
    assert (answer["model"], result["text"], result["language"]) == ("tiny-en-de@0", "the old house", "de")
    assert (result["score"], result["finish_reason"]) == (-0.25, "stop")
    map_ = result["attention"]
    assert [query["text"] for query in map_["queries"]] == ["the", "old", "house"]
    assert [key["text"] for key in map_["keys"]["items"]] == ["the", "old", "house", "</s>"]
    assert np.allclose(map_["weights"], np.eye(3, 4))
    assert (map_["kind"], map_["unit"], map_["offsets"]) == ("cross", "word", "codepoint")


async def test_an_answer_has_nothing_that_was_not_asked_for(client) -> None:
    answer = (await client.post("/v1/translate", json=GOOD)).json()
    assert set(answer) == {"id", "model", "timings", "results"}
    assert set(answer["results"][0]) == {"text", "score", "confidence", "finish_reason", "language", "attention"}


async def test_several_texts_get_their_own_results_in_order(client) -> None:
    texts = ["the old house", "a red ball", "children play in the park"]
    answer = await client.post("/v1/translate", json={"text": texts, "source": "en", "target": "de"})
    assert [result["text"] for result in answer.json()["results"]] == texts


async def test_timings_are_in_the_body_and_in_a_header(client) -> None:
    answer = await client.post("/v1/translate", json=GOOD)
    assert set(answer.json()["timings"]) == {"prepare", "queue", "encode", "decode"}
    told = dict(part.split(";dur=") for part in answer.headers["server-timing"].split(", "))
    assert set(told) == {"prepare", "queue", "encode", "decode", "write", "total"}
    assert (float(told["queue"]), float(told["decode"])) == (1.0, 3.0)  # in milliseconds


async def test_no_attention_is_neither_asked_of_the_engine_nor_answered(client, link) -> None:
    answer = await client.post("/v1/translate", json={**GOOD, "attention": "none"})
    assert "attention" not in answer.json()["results"][0]
    assert not link.jobs[0].options.attention


async def test_weights_are_bytes_where_they_were_asked_for_as_such(client) -> None:
    plain = (await client.post("/v1/translate", json={**GOOD, "attention": "full"})).json()["results"][0]["attention"]
    small = await client.post("/v1/translate", json={**GOOD, "attention": "full", "encoding": "u8"})
    for map_, exact in zip(small.json()["results"][0]["attention"], plain, strict=True):
        assert (map_["encoding"], exact["encoding"]) == ("u8", "float")
        assert np.abs(np.array(map_["weights"]) - 255 * np.array(exact["weights"])).max() < 0.52  # four decimals
        assert {type(weight) for row in map_["weights"] for weight in row} == {int}
    wrong = await client.post("/v1/translate", json={**GOOD, "encoding": "u16"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/encoding")


async def test_a_hard_map_is_ones_and_zeros_with_an_alignment(client, link) -> None:
    link.heads, link.blur = (1, 2), 0.5
    answer = await client.post("/v1/translate", json={**GOOD, "attention": "hard"})
    result = answer.json()["results"][0]
    assert sorted({weight for row in result["attention"]["weights"] for weight in row}) == [0, 1]
    assert result["alignment"] == {"proj": "0:2-0:2 4:6-4:6 8:12-8:12", "pharaoh": "0-0 1-1 2-2"}


async def test_a_full_map_is_every_layer_and_head(client, link) -> None:
    link.heads = (2, 3)
    answer = await client.post("/v1/translate", json={**GOOD, "attention": "full"})
    maps = answer.json()["results"][0]["attention"]
    assert [(one["layer"], one["head"]) for one in maps] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert all(np.allclose(np.sum(one["weights"], axis=1), 1, atol=1e-3) for one in maps)
    assert maps[0]["weights"] != maps[1]["weights"]


async def test_an_alignment_counts_words_even_where_the_map_shows_pieces(client) -> None:
    answer = await client.post("/v1/translate", json={**GOOD, "alignment": True, "unit": "piece"})
    result = answer.json()["results"][0]
    assert result["attention"]["unit"] == "piece"
    assert result["alignment"]["pharaoh"] == "0-0 1-1 2-2"


async def test_an_alignment_can_be_had_without_a_map(client) -> None:
    answer = await client.post("/v1/translate", json={**GOOD, "alignment": True, "attention": "none"})
    result = answer.json()["results"][0]
    assert "attention" not in result
    assert result["alignment"]["pharaoh"] == "0-0 1-1 2-2"


@pytest.mark.parametrize(("unit", "start"), [("codepoint", 2), ("utf16", 3), ("utf8", 5)])
async def test_offsets_count_in_the_unit_asked_for(client, unit, start) -> None:
    answer = await client.post(
        "/v1/translate", json={**GOOD, "text": "\U0001f98a house", "offsets": unit, "unknown": "none"}
    )
    assert answer.json()["results"][0]["attention"]["keys"]["items"][1]["start"] == start


async def test_hypotheses_come_if_several_were_asked_for_and_the_first_is_the_answer(client) -> None:
    answer = await client.post("/v1/translate", json={**GOOD, "n_best": 3, "beam_size": 4})
    (result,) = answer.json()["results"]
    assert len(result["hypotheses"]) == 3
    assert result["hypotheses"][0]["text"] == result["text"]
    assert [one["score"] for one in result["hypotheses"]] == [-0.25, -0.5, -0.75]
    assert all("attention" in one for one in result["hypotheses"])


async def test_the_search_is_the_one_on_the_card_unless_asked_otherwise(client, link) -> None:
    await client.post("/v1/translate", json=GOOD)
    await client.post("/v1/translate", json={**GOOD, "beam_size": 2, "length_penalty": 0, "max_length": 7})
    usual, asked = (job.options for job in link.jobs)
    assert (usual.beam_size, usual.length_penalty, usual.max_length) == (4, 0.8, 25)
    assert (asked.beam_size, asked.length_penalty, asked.max_length) == (2, 0, 7)


async def test_a_prefix_goes_to_the_engine_as_pieces(client, link, bundles) -> None:
    await client.post("/v1/translate", json={**GOOD, "prefix": "the red"})
    assert link.jobs[0].options.prefix == tuple(bundles["tiny-en-de"].text.ids("the red"))


async def test_an_answer_cut_by_the_length_limit_says_so(client) -> None:
    answer = await client.post("/v1/translate", json={**GOOD, "max_length": 2})
    assert answer.json()["results"][0]["finish_reason"] == "length"


async def test_a_left_out_language_is_found_where_only_one_fits(client) -> None:
    answer = await client.post("/v1/translate", json={"text": "the house", "target": "fr"})
    assert answer.json()["model"] == "tiny-en-fr@0"


async def test_a_model_named_needs_no_languages(client) -> None:
    answer = await client.post("/v1/translate", json={"text": "the house", "model": "tiny-fr-de"})
    assert answer.json()["model"] == "tiny-fr-de@0"


async def test_ids_of_jobs_are_our_own_and_never_repeat(client, link) -> None:
    for _ in range(2):
        await client.post("/v1/translate", json=GOOD, headers={"x-request-id": "again"})
    assert len({job.id for job in link.jobs}) == 2


async def test_a_request_id_is_kept_if_it_is_sane_and_made_if_not(client) -> None:
    kept = await client.post("/v1/translate", json=GOOD, headers={"x-request-id": "trace-7"})
    made = await client.post("/v1/translate", json=GOOD, headers={"x-request-id": 'a b"<script>'})
    assert kept.headers["x-request-id"] == kept.json()["id"] == "trace-7"
    assert made.headers["x-request-id"] == made.json()["id"] != 'a b"<script>'


async def test_a_body_without_a_content_type_is_taken_for_json(client) -> None:
    answer = await client.post("/v1/translate", content=json.dumps(GOOD))
    assert answer.status_code == 200
