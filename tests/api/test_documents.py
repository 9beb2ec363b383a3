"""A text of many sentences in one request: all of it in one answer, its maps counted in the whole, both ways."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest

from bundle.manifest import Bundle
from bundle.zoo import find
from service.errors import EngineFailed, QueueFull
from service.messages import Done, Event, Failed, Hypothesis, Job
from tests import fakes
from tests.api.asking import problem, still_answers
from tests.api.conftest import BOUNDS, client_of
from tests.api.sse import Said, only, streamed
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
TEXT = "  the old house. the dog!\r\n\r\n* * *\n\ttwo children play? grey bright\n"
UNITS = {"codepoint": "utf-32-le", "utf16": "utf-16-le", "utf8": "utf-8"}
WIDTH = {"codepoint": 4, "utf16": 2, "utf8": 1}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Their vocabulary knows what ends a sentence, and what they read is short."""
    zoo = tmp_path_factory.mktemp("marks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            fakes, "SENTENCES", (*fakes.SENTENCES, *("the dog. the house! the park? the ball," for _ in range(9)))
        )
        fakes.tiny_bundle(zoo, "tiny-en-de", limits={"source": 20, "target": 30})
    return {bundle.manifest.name: bundle for bundle in find(zoo)}


async def translate(client: httpx.AsyncClient, text: Any, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v1/translate", json={"text": text, "source": "en", "target": "de", **fields})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def at(text: str, item: dict[str, Any], unit: str) -> str:
    width = WIDTH[unit]
    return text.encode(UNITS[unit])[width * item["start"] : width * item["end"]].decode(UNITS[unit])


def unread(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (item for item in items if item["text"] != "</s>")


async def test_lines_and_white_space_stay_as_they_are(client: httpx.AsyncClient, link: FakeLink) -> None:
    (result,) = (await translate(client, TEXT))["results"]
    assert result["text"] == TEXT
    assert len(link.jobs) == 4
    assert len(result["attention"]) == 4
    assert len({job.owner for job in link.jobs}) == 1


@pytest.mark.parametrize("unit", UNITS)
async def test_every_offset_is_one_of_the_whole_text_both_ways(client: httpx.AsyncClient, unit: str) -> None:
    text = f"\U0001f600 the Öl.\n{TEXT}"
    (result,) = (await translate(client, text, offsets=unit, alternatives=0, alignment=True))["results"]
    assert len(result["attention"]) == 5
    for map_ in result["attention"]:
        for item in unread(map_["keys"]["items"]):
            assert at(text, item, unit) == item["text"]
        for item in map_["queries"]:
            assert at(result["text"], item, unit) == item["text"]
    links = [
        [int(x) for x in side.split(":")] for link in result["alignment"]["proj"].split() for side in link.split("-")
    ]
    for (a, b), (c, d) in zip(links[::2], links[1::2], strict=True):
        said = at(result["text"], {"start": c, "end": d + 1}, unit)
        assert said in (at(text, {"start": a, "end": b + 1}, unit), "⁇")
    words = [tuple(map(int, link.split("-"))) for link in result["alignment"]["pharaoh"].split()]
    assert words == [(i, i) for i in range(len(words))]
    assert len(words) == sum(len(map_["queries"]) for map_ in result["attention"])


async def test_one_sentence_has_one_map_and_white_space_around_it_stays(client: httpx.AsyncClient) -> None:
    (result,) = (await translate(client, " the dog.\n"))["results"]
    assert result["text"] == " the dog.\n"
    assert result["attention"]["queries"][0]["start"] == 1
    assert result["attention"]["keys"]["items"][0]["start"] == 1


async def test_each_text_of_a_list_has_one_result(client: httpx.AsyncClient) -> None:
    texts = ["the dog. the house.", "grey", "a. b. the red ball."]
    results = (await translate(client, texts, attention="none"))["results"]
    assert [result["text"] for result in results] == texts


async def test_hypotheses_are_whole_texts_and_a_prefix_is_said_once(client: httpx.AsyncClient, link: FakeLink) -> None:
    (result,) = (await translate(client, "the old house\nthe dog", n_best=2, prefix="the", trust="cheap"))["results"]
    assert [one["text"].count("\n") for one in result["hypotheses"]] == [1, 1]
    assert result["hypotheses"][0]["text"] == result["text"]
    assert [bool(job.options.prefix) for job in link.jobs] == [True, False]


async def test_what_is_asked_about_one_decoding_takes_the_text_as_one(
    client: httpx.AsyncClient, link: FakeLink
) -> None:
    (result,) = (await translate(client, "the dog. the house.", constraints={"mask": [0]}))["results"]
    assert isinstance(result["attention"], dict)
    body = {"text": "the dog. the house.", "source": "en", "target": "de", "target_text": "the dog. the house."}
    assert (await client.post("/v1/score", json=body)).status_code == 200
    assert {len(job.inputs["source"]) for job in link.jobs} == {len(link.jobs[0].inputs["source"])}


async def test_a_sentence_longer_than_the_model_reads_is_answered_in_clauses(client: httpx.AsyncClient) -> None:
    text = "the dog and the old house, " * 9 + "the end"
    (result,) = (await translate(client, text))["results"]
    assert result["text"] == text
    assert len(result["attention"]) > 1


async def test_drawn_formats_show_the_whole_and_then_each_sentence(client: httpx.AsyncClient) -> None:
    body = {"text": TEXT, "source": "en", "target": "de"}
    for media in ("text/plain", "text/html", "image/svg+xml", "image/png"):
        answer = await client.post("/v1/translate", json=body, headers={"accept": media})
        assert answer.status_code == 200
        assert answer.content
    answer = await client.post("/v1/translate", json=body, headers={"accept": "application/x-npz"})
    arrays = np.load(io.BytesIO(answer.content))
    assert arrays["answers"].tolist()[0] == TEXT.strip("\x00")
    assert [f"weights_{i}" in arrays for i in range(5)] == [False, True, True, True, True]


class Crowded(FakeLink):
    """Refuses jobs beyond so many at a time, and tells how many there ever were."""

    most, now, seen = 1000, 0, 0

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        if self.now >= self.most:
            raise QueueFull(limit=self.most)
        self.now += 1
        self.seen = max(self.seen, self.now)
        await asyncio.sleep(0.001)
        async for event in super().submit(job):
            self.now -= isinstance(event, Done)
            yield event


async def test_so_many_sentences_are_at_work_at_a_time_and_never_more(bundles: dict[str, Bundle]) -> None:
    link = Crowded(bundles)
    async with client_of(link, desk_bounds={"window": 12}) as client:
        (result,) = (await translate(client, "the dog.\n" * 30, beam_size=4, attention="none"))["results"]
        assert result["text"] == "the dog.\n" * 30
        assert link.seen == 3


async def test_a_text_that_has_begun_waits_for_a_full_queue_and_one_that_has_not_is_refused(
    bundles: dict[str, Bundle],
) -> None:
    link = Crowded(bundles)
    link.most = 2
    async with client_of(link) as client:
        (result,) = (await translate(client, "the dog.\n" * 9, attention="none"))["results"]
        assert result["text"] == "the dog.\n" * 9
        link.most = 0
        body = {"text": "the dog.\n" * 9, "source": "en", "target": "de"}
        problem(await client.post("/v1/translate", json=body), 429, "queue_full")
        link.most = 10
        await still_answers(client)


async def test_too_many_sentences_are_refused_of_one_and_of_all_requests(bundles: dict[str, Bundle]) -> None:

    link = FakeLink(bundles)
    async with client_of(link, bounds=replace(BOUNDS, sentences=4), desk_bounds={"max_sentences": 5}) as client:
        body = {"text": "the dog.\n" * 5, "source": "en", "target": "de"}
        told = problem(await client.post("/v1/translate", json=body), 422, "text_too_long")
        assert (told["limit"], told["actual"]) == (4, 5)
        link.hang = True
        first = asyncio.create_task(client.post("/v1/translate", json={**body, "text": "the dog.\n" * 4}))
        await link.arrivals(4)
        problem(await client.post("/v1/translate", json={**body, "text": "a\nb\nthe"}), 429, "queue_full")
        link.stopped.set()
        assert (await first).status_code == 200
        await still_answers(client)


def told(said: list[Said], sentence: int | None) -> str:
    """What a listener has of a sentence when the stream ends: tokens, and what a beam let stand of them."""
    tokens: list[dict[str, Any]] = []
    for one in said:
        if one.data.get("sentence") == sentence:
            tokens += [one.data] if one.event == "token" else []
            if one.event == "hypothesis":
                tokens[one.data["kept"] :] = one.data["tokens"]
    return "".join(one["text"] for one in tokens)


@pytest.mark.parametrize("beam", [1, 4])
async def test_a_stream_tells_sentence_after_sentence_and_in_the_end_what_is_told_without_one(
    client: httpx.AsyncClient, beam: int
) -> None:
    asked: dict[str, Any] = {"beam_size": beam, "n_best": beam, "alignment": True}
    said = await streamed(client, text=TEXT, **asked)
    assert [one["sentence"] for one in only(said, "start")] == [0, 1, 2, 3]
    numbers = [one.data["sentence"] for one in said[:-1]]
    assert numbers == sorted(numbers)
    done = said[-1].data
    assert "".join(told(said, number) for number in range(4)) == done["text"].rstrip()
    (whole,) = (await translate(client, TEXT, **asked))["results"]
    assert {name: value for name, value in done.items() if name not in ("id", "model", "input", "timings")} == whole


@pytest.mark.parametrize("unit", UNITS)
async def test_places_in_a_stream_are_those_in_the_whole_texts(client: httpx.AsyncClient, unit: str) -> None:
    text = f"  the dog. 🐕\n {TEXT}"
    said = await streamed(client, text=text, offsets=unit, beam_size=1)
    for start in only(said, "start"):
        assert all(at(text, key, unit) == key["text"] for key in unread(start["keys"]["items"]))
    for token in only(said, "token"):
        assert re.fullmatch(rf"[\s🐕*]*{re.escape(at(said[-1].data['text'], token, unit))}", token["text"])


async def test_what_is_done_first_is_told_when_its_turn_comes(bundles: dict[str, Bundle]) -> None:
    class Backwards(FakeLink):
        async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
            number = len(self.jobs)
            async for event in super().submit(job):
                await asyncio.sleep(0.01 * (3 - number))
                yield event

    async with client_of(Backwards(bundles)) as client:
        said = await streamed(client, text=["the dog. the house! the park?", "the dog"], beam_size=1)
    first = [one for one in said if one.data["input"] == 0]
    assert [one.data["sentence"] for one in first if one.event == "start"] == [0, 1, 2]
    assert "".join(told(first, number) for number in range(3)) == first[-1].data["text"]
    assert [one["text"] for one in only(said, "done")] in (
        [["the dog", first[-1].data["text"]], [first[-1].data["text"], "the dog"]]
    )


async def test_a_stream_of_many_sentences_has_no_more_at_work_and_waits_for_a_full_queue(
    bundles: dict[str, Bundle],
) -> None:
    link = Crowded(bundles)
    async with client_of(link, desk_bounds={"window": 12}) as client:
        assert only(await streamed(client, text="the dog.\n" * 9, beam_size=4), "done")[0]["text"] == "the dog.\n" * 9
        assert link.seen == 3
    link = Crowded(bundles)
    link.most = 2
    async with client_of(link) as client:
        assert only(await streamed(client, text="the dog.\n" * 9), "done")[0]["text"] == "the dog.\n" * 9


async def test_a_stream_ends_with_the_first_sentence_that_fails(bundles: dict[str, Bundle]) -> None:
    class Failing(FakeLink):
        def end(self, job: Job) -> Event:
            return super().end(job) if len(self.jobs) < 3 else Failed(job.id, EngineFailed("It broke."))

    link = Failing(bundles)
    async with client_of(link, desk_bounds={"window": 1}) as client:
        said = await streamed(client, text="the dog.\n" * 9, beam_size=1)
        assert said[-1].event == "error"
        assert said[-1].data["code"] == "engine_failed"
        assert [told(said, number) for number in (0, 1)] == ["the dog.", "\nthe dog."]
        assert len(link.jobs) == 3


async def test_what_lies_before_a_sentence_of_which_nothing_is_said_is_told_with_the_next(
    bundles: dict[str, Bundle],
) -> None:
    class Speechless(FakeLink):
        def echo(self, job: Job, rank: int) -> Hypothesis:
            said = super().echo(job, rank)
            end: dict[str, Any] = {"ids": said.ids[-1:], "logprobs": said.logprobs[-1:], "rows": None}
            return replace(said, **end) if len(self.jobs) == 2 else said

    async with client_of(Speechless(bundles), desk_bounds={"window": 1}) as client:
        said = await streamed(client, text="the dog.\n\nthe house! the park?", beam_size=1)
    text = said[-1].data["text"]
    assert "".join(one["text"] for one in only(said, "token")) == text == "the dog.\n\n the park?"
    assert all(text[one["start"] : one["end"]] == one["text"].strip() for one in only(said, "token"))
