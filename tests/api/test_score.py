"""POST /v1/score with the engine and the shipped translator: what it gives its own answers, and others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from service.engine.catalog import Catalog
from service.link.local import LocalLink
from tests.api.asking import problem
from tests.api.conftest import client_of
from tests.api.sse import only, streamed

pytestmark = pytest.mark.anyio
TEXTS = ["A small dog runs across the grass.", "Two women are sitting on a bench.", "I like tea."]
NOISE = 0.005  # of a weight in int8: activations are quantised by the range of a whole batch (none was seen here)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def asker(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    link = LocalLink(
        lambda: Catalog(Path("zoo"), names=["en-de-bahdanau"], threads=2, precision="auto", rows=64, queue=640)
    )
    await link.start()
    async with client_of(link) as one:
        yield one
    await link.drain(0)


async def results(asker: httpx.AsyncClient, route: str, **fields: Any) -> list[dict[str, Any]]:
    answer = await asker.post(f"/v1/{route}", json=fields)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def logprobs(result: dict[str, Any]) -> list[float]:
    return [query["logprob"] for query in result["attention"]["queries"]]


async def test_the_models_own_answers_get_what_they_got_when_they_were_found(asker) -> None:
    found = await results(asker, "translate", text=TEXTS)
    scored = await results(asker, "score", text=TEXTS, target_text=[one["text"] for one in found])
    for one, again in zip(found, scored, strict=True):
        assert again["text"] == one["text"]
        assert (again["score"], again["confidence"]) == pytest.approx((one["score"], one["confidence"]), abs=0.01)
        assert logprobs(again) == pytest.approx(logprobs(one), abs=0.02)
        assert np.allclose(again["attention"]["weights"], one["attention"]["weights"], atol=NOISE)


async def test_a_worse_translation_scores_lower_and_its_wrong_word_lowest(asker) -> None:
    said = [
        "Ein kleiner Hund rennt über das Gras.",
        "Ein kleiner Hund rennt über den Tisch.",
        "Eine große Katze schläft.",
    ]
    scored = await results(asker, "score", text=TEXTS[:1] * 3, target_text=said)
    for measure in ("score", "logprob", "confidence"):
        assert [one[measure] for one in scored] == sorted((one[measure] for one in scored), reverse=True)
    wrong = min(scored[1]["words"], key=lambda word: word["confidence"])
    assert wrong["text"] == "Tisch"


async def test_the_score_is_the_searchs_own_and_every_piece_is_told(asker) -> None:
    (one,) = await results(
        asker, "score", text=TEXTS[2], target_text="Ich mag Tee.", length_penalty=0.5, attention="none"
    )
    pieces = [piece["logprob"] for piece in one["tokens"]]
    assert one["logprob"] == pytest.approx(sum(pieces), abs=1e-5)
    assert one["score"] == pytest.approx(sum(pieces) / len(pieces) ** 0.5, abs=1e-5)
    assert [word["text"] for word in one["words"]] == ["Ich", "mag", "Tee", "."]
    assert "attention" not in one


async def test_every_other_answer_to_translate_is_there_too(asker) -> None:
    pair = {"text": TEXTS[0], "target_text": "Ein kleiner Hund rennt über das Gras."}
    (one,) = await results(asker, "score", **pair, trust="measured", alternatives=2, alignment=True)
    assert one["trust"]["flip_mask"] is not None and one["alignment"]["pharaoh"]
    assert all(len(position["choices"]) == 2 for position in one["alternatives"])
    drawn = await asker.post("/v1/score", json=pair, headers={"accept": "text/plain"})
    assert drawn.text.startswith(pair["target_text"])
    told = await streamed(asker, "score", **pair)
    assert "".join(token["text"] for token in only(told, "token")) == pair["target_text"]
    assert only(told, "done")[0]["logprob"] == pytest.approx(one["logprob"], abs=0.01)


async def test_what_the_model_never_says_is_refused_for_the_whole_request(asker) -> None:
    answer = await asker.post("/v1/score", json={"text": TEXTS[:2], "target_text": ["Ein Hund.", "Ein \U0001f98a."]})
    assert problem(answer, 422, "text_unsayable")["errors"][0]["pointer"] == "/target_text/1"
