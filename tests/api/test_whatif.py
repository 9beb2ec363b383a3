"""What if, alternatives and trust over HTTP, with a real engine: the echo says what it is made to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.engine.catalog import Catalog
from service.link.local import LocalLink
from tests.api.asking import problem
from tests.api.conftest import client_of
from tests.api.sse import only, streamed

pytestmark = pytest.mark.anyio
TEXT = "two children play with a red ball"
ECHO: dict[str, Any] = {"model": "toy-echo", "source": None, "target": None, "text": TEXT}
LOST: dict[str, Any] = {"model": "toy-recurrent", "source": None, "target": None, "text": TEXT, "max_length": 12}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def asker(toys: Path, anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    names = ["toy-echo", "toy-recurrent", "toy-transformer"]
    link = LocalLink(lambda: Catalog(toys, names=names, threads=2, precision="fp32", rows=256, queue=1280))
    await link.start()
    async with client_of(link) as one:
        yield one
    await link.drain(0)


async def result(asker: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await asker.post("/v1/translate", json=fields)
    assert answer.status_code == 200, answer.text
    one: dict[str, Any] = answer.json()["results"][0]
    return one


async def test_a_pinned_word_of_the_echo_is_another_word_and_both_runs_are_told(asker) -> None:
    pieces = [item["text"] for item in (await result(asker, **ECHO, unit="piece"))["attention"]["keys"]["items"]]
    found = await result(asker, **ECHO, unit="piece", constraints={"pin": [[1, 4]]})
    assert found["unconstrained"]["text"] == TEXT
    queries = [item["text"] for item in found["attention"]["queries"]]
    assert queries[:3] == [pieces[0], pieces[4], pieces[2]]
    assert found["attention"]["weights"][1][4] == 1
    (edit, *_) = found["difference"]["changed"]
    assert edit["before"][0] == edit["after"][0] == 1
    assert found["difference"]["rows"][0] == 0


async def test_a_masked_word_gets_no_weight_in_any_row(asker) -> None:
    found = await result(asker, **LOST, constraints={"mask": [1, 3]})
    assert all(row[1] == row[3] == 0 for row in found["attention"]["weights"])
    assert any(row[1] > 0 for row in found["unconstrained"]["attention"]["weights"])
    assert found["difference"]["score"] == pytest.approx(found["score"] - found["unconstrained"]["score"], abs=1e-5)


async def test_a_prefix_is_compared_if_that_is_asked_for(asker) -> None:
    alone = await result(asker, **LOST, prefix="the")
    both = await result(asker, **LOST, prefix="the", compare=True)
    free = await result(asker, **LOST)
    assert "unconstrained" not in alone
    assert alone["text"] == both["text"]
    assert both["text"].startswith("the")
    assert both["unconstrained"]["text"] == free["text"]


async def test_from_an_alternative_the_answer_is_made_anew_by_ids(asker) -> None:
    first = await result(asker, **LOST, beam_size=1, alternatives=4)
    positions = first["alternatives"]
    assert [one["id"] for one in positions] == [one["choices"][0]["id"] for one in positions]
    ids = [one["id"] for one in positions[:2]] + [positions[2]["choices"][2]["id"]]
    again = await result(asker, **LOST, beam_size=1, prefix=ids, alternatives=1)
    assert [one["id"] for one in again["alternatives"][:3]] == ids
    assert first["text"][positions[1]["start"] : positions[1]["end"]] == positions[1]["text"]


@pytest.mark.parametrize("model", ["toy-recurrent", "toy-transformer"])
async def test_measured_trust_says_word_by_word_what_the_map_decided(asker, model) -> None:
    found = await result(asker, **{**LOST, "model": model}, trust="measured")
    trust, words = found["attention"]["trust"], len(found["attention"]["queries"])
    flips = [trust[name] for name in ("flip_mask", "flip_uniform", "drop_mask", "drop_uniform", "entropy", "peak")]
    assert [len(one) for one in flips] == [words] * 6
    assert found["trust"]["flip_mask"] == pytest.approx(sum(trust["flip_mask"]) / words, abs=1e-4)
    assert -1 <= found["trust"]["kendall"] <= 1


async def test_every_word_of_the_echo_is_decided_by_its_map(asker) -> None:
    found = await result(asker, **ECHO, trust="measured")
    assert all(found["attention"]["trust"]["flip_mask"])
    assert found["trust"]["flip_mask"] == 1


async def test_heads_are_asked_whether_they_agree_where_all_are_told(asker) -> None:
    found = await result(asker, **{**LOST, "model": "toy-transformer"}, attention="full")
    assert 0 < found["trust"]["agreement"] <= 1
    assert all("entropy" in one["trust"] for one in found["attention"] if one["kind"] == "cross")


async def test_in_full_the_self_attention_of_both_stacks_comes_after_the_rest(asker) -> None:
    found = await result(asker, **{**LOST, "model": "toy-transformer"}, attention="full")
    kinds = [(one["kind"], one.get("stack")) for one in found["attention"]]
    assert kinds == [("cross", None)] * 6 + [("self", "encoder")] * 6 + [("self", "decoder")] * 6
    words = [[item["text"] for item in one["queries"]] for one in found["attention"]]
    assert words[6] == [item["text"] for item in found["attention"][0]["keys"]["items"][:-1]]
    assert words[12] == words[0] and found["attention"][12]["keys"]["items"][-1]["text"] == "<s>"


async def test_without_trust_or_a_map_nothing_is_said_of_it(asker) -> None:
    assert "trust" not in (await result(asker, **ECHO, trust="none"))["attention"]
    bare = await result(asker, **ECHO, attention="none", trust="measured")
    assert "attention" not in bare
    assert bare["trust"]["flip_mask"] == 1


async def test_what_is_streamed_is_the_constrained_answer(asker) -> None:
    said = await streamed(asker, **ECHO, beam_size=1, unit="piece", constraints={"pin": [[1, 4]]}, trust="measured")
    (end,) = only(said, "done")
    assert "".join(one["text"] for one in only(said, "token")) == end["text"]
    assert end["unconstrained"]["text"] == TEXT
    assert end["attention"]["trust"]["flip_mask"]
    assert [one.event for one in said].count("start") == 1


async def test_a_pin_of_a_word_that_is_not_said_is_a_problem_in_a_stream_too(asker) -> None:
    wrong: dict[str, Any] = {"constraints": {"pin": [[60, 0]]}}
    answer = await asker.post("/v1/translate", json={**ECHO, **wrong})
    assert problem(answer, 422, "invalid_request")["errors"][0]["pointer"] == "/constraints/pin/0/0"
    said = await streamed(asker, **ECHO, **wrong)
    assert said[-1].event == "error"
    assert said[-1].data["code"] == "invalid_request"


async def test_more_alternatives_than_are_told_are_refused(asker) -> None:
    answer = await asker.post("/v1/translate", json={**ECHO, "alternatives": 11})
    assert problem(answer, 422, "invalid_request")["limit"] == 10


async def test_an_answer_moves_where_that_is_accepted(asker) -> None:
    for media, begins in (("image/webp", b"RIFF"), ("image/gif", b"GIF8")):
        answer = await asker.post("/v1/translate", json={**ECHO, "trust": "measured"}, headers={"accept": media})
        assert answer.headers["content-type"] == media
        assert answer.content.startswith(begins)
