"""stream: true: what is told on the way, and that it adds up to the answer."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import pytest

from service.api.stream import framed
from service.tasks.live import TokenEvent
from tests.api.asking import GOOD, describe, picture, still_answers
from tests.api.conftest import client_of
from tests.api.raw import Raw
from tests.api.sse import EVENTS, Said, event, events, only, streamed
from tests.fakes import GRID

pytestmark = pytest.mark.anyio


async def test_a_greedy_answer_is_a_start_its_tokens_and_its_end(client) -> None:
    said = await streamed(client, beam_size=1)
    assert [one.event for one in said] == ["start", "token", "token", "token", "token", "done"]
    assert [one["text"] for one in only(said, "token")] == ["the", " old", " ho", "use"]
    assert [one["index"] for one in only(said, "token")] == [0, 1, 2, 3]
    assert [one["logprob"] for one in only(said, "token")] == [-0.125] * 4
    assert said[-1].data["text"] == "the old house"


@pytest.mark.parametrize("beam", [1, 3])
async def test_the_end_is_the_result_that_the_answer_without_a_stream_has(client, beam) -> None:
    asked = {"beam_size": beam, "n_best": beam, "unit": "piece", "alignment": True}
    end = only(await streamed(client, **asked), "done")[0]
    whole = (await client.post("/v1/translate", json={**GOOD, **asked})).json()
    timings = [end.pop("timings"), whole.pop("timings")]
    assert set(timings[0]) == set(timings[1])
    assert (end.pop("model"), end.pop("input")) == (whole["model"], 0)
    assert end.pop("id")
    assert end == whole["results"][0]


async def test_the_end_of_a_stream_has_its_weights_as_they_were_asked_for(client) -> None:
    end = only(await streamed(client, beam_size=1, encoding="u8"), "done")[0]
    assert end["attention"]["encoding"] == "u8"
    assert max(max(row) for row in end["attention"]["weights"]) == 255


async def test_accept_alone_asks_for_a_stream_and_so_does_a_field_of_a_form(client) -> None:
    accepted = await client.post("/v1/translate", json=GOOD, headers={"accept": EVENTS})
    form = await client.post("/v1/caption", files={"file": ("a.png", picture())}, data={"stream": "true"})
    for answer in (accepted, form):
        assert answer.headers["content-type"].startswith(EVENTS)
        assert events(answer.text)[-1].event == "done"


@pytest.mark.parametrize("accept", ["*/*", "text/*", "application/json, text/event-stream;q=0.5"])
async def test_who_accepts_other_formats_as_well_gets_no_stream_unasked(client, accept) -> None:
    answer = await client.post("/v1/translate", json=GOOD, headers={"accept": accept})
    assert not answer.headers["content-type"].startswith(EVENTS)


async def test_the_start_names_the_answer_and_what_its_rows_look_at(client) -> None:
    answer = await client.post("/v1/translate", json={**GOOD, "stream": True}, headers={"x-request-id": "mine"})
    start = events(answer.text)[0].data
    assert (start["id"], start["model"], start["input"]) == ("mine", "tiny-en-de@0", 0)
    assert answer.headers["x-request-id"] == "mine"
    assert [key["text"] for key in start["keys"]["items"]] == ["the", "old", "ho", "use", "</s>"]
    assert (start["layer"], start["head"]) == (0, 0)


async def test_a_picture_starts_with_its_grid_and_tokens_have_rows_over_it_and_a_gate(client) -> None:
    image = base64.b64encode(picture(size=(40, 30), colour=(255, 255, 255))).decode()
    said = await streamed(client, "caption", image=image, beam_size=1)
    rows, cols = GRID
    assert said[0].data["keys"] == {
        "type": "grid", "rows": rows, "cols": cols, "image": {"width": 40, "height": 30}, "crop": [0, 0, 40, 30]
    }  # fmt: skip
    tokens = only(said, "token")
    assert "".join(one["text"] for one in tokens) == said[-1].data["text"] == "white"
    assert all(len(one["attention"]) == rows * cols and one["gate"] == 0.5 for one in tokens)


async def test_rows_are_as_they_were_asked_for(client, link) -> None:
    link.heads, link.blur = (2, 3), 0.2
    rows: dict[str, Any] = {
        kind: [one.get("attention") for one in only(await streamed(client, beam_size=1, attention=kind), "token")]
        for kind in ("none", "hard", "soft", "full")
    }
    assert rows["none"] == [None] * 4
    assert rows["hard"] == [0, 1, 2, 3]
    assert np.allclose(rows["soft"], 0.8 * np.eye(4, 5) + 0.2 / 5)
    assert np.shape(rows["full"]) == (4, 2, 3, 5)
    assert [one[0][0] for one in rows["full"]] == rows["soft"]


@pytest.mark.parametrize("kind", ["none", "full"])
async def test_where_there_is_not_one_layer_none_is_named(client, kind) -> None:
    start = (await streamed(client, attention=kind))[0].data
    assert not {"layer", "head"} & set(start)


async def step_by_step(link, **asked) -> list[Said]:
    """The events where the engine takes no step before the last was heard of."""
    link.pace = asyncio.Semaphore(0)
    maker = client_of(link)
    async with maker:
        raw = Raw(maker.app, stream=True, heard=link.pace.release, **asked)
        await raw.over()
    return raw.events()


async def test_tokens_come_while_the_answer_is_made(link) -> None:
    said = await step_by_step(link, beam_size=1)
    assert [one.event for one in said] == ["start", "token", "token", "token", "token", "done"]


async def test_a_beam_says_what_it_thinks_now_and_never_that_a_token_is_final(link) -> None:
    """The fake's last word leads at first and is taken back; what a listener puts together is the text all along."""
    said = await step_by_step(link, beam_size=3)
    assert [one.event for one in said] == ["start", *["hypothesis"] * 5, "done"]
    heard: list[str] = []
    for one in only(said, "hypothesis"):
        heard[one["kept"] :] = [token["text"] for token in one["tokens"]]
        assert "".join(heard) == one["text"]
    assert [one["text"] for one in only(said, "hypothesis")] == ["use", "the", "the old", "the old ho", "the old house"]
    assert [one["kept"] for one in only(said, "hypothesis")] == [0, 0, 1, 2, 3]


@pytest.mark.parametrize(("unit", "spans"), [("codepoint", (2, 4)), ("utf16", (2, 5)), ("utf8", (2, 7))])
async def test_offsets_of_tokens_and_of_keys_count_in_the_unit_asked_for(client, unit, spans) -> None:
    """The fox is in no vocabulary here: left to the model it is said as " ⁇ ", three bytes of UTF-8."""
    said = await streamed(client, text="a \U0001f98a house", offsets=unit, beam_size=1, unknown="none")
    fox = next(key for key in said[0].data["keys"]["items"] if key["text"] == "\U0001f98a")
    assert (fox["start"], fox["end"]) == {"codepoint": (2, 3), "utf16": (2, 4), "utf8": (2, 6)}[unit]
    tokens, text = only(said, "token"), said[-1].data["text"]
    encoded = {"codepoint": "utf-32-le", "utf16": "utf-16-le", "utf8": "utf-8"}[unit]
    width = {"codepoint": 4, "utf16": 2, "utf8": 1}[unit]
    for one in tokens:
        span = text.encode(encoded)[width * one["start"] : width * one["end"]].decode(encoded)
        assert span == one["text"].strip()


async def test_several_texts_are_told_apart_by_their_number(client) -> None:
    texts = ["the old house", "a red ball", "children play"]
    said = await streamed(client, text=texts, beam_size=1)
    assert [one["input"] for one in only(said, "start")] == [0, 1, 2]
    for i, text in enumerate(texts):
        keys = [key["text"] for key in said[i].data["keys"]["items"]]
        assert text.startswith(keys[0])
        assert "".join(one["text"] for one in only(said, "token") if one["input"] == i) == text
    assert {one["input"]: one["text"] for one in only(said, "done")} == dict(enumerate(texts))


async def test_tokens_that_only_the_end_tells_of_are_told_before_it(client, link) -> None:
    link.untold = 2
    said = await streamed(client, beam_size=1)
    assert [one["text"] for one in only(said, "token")] == ["the", " old", " ho", "use"]
    assert said[-1].event == "done"


async def test_the_engine_is_told_that_somebody_listens_and_who_asked(client, link) -> None:
    await streamed(client, text=["house", "ball"], priority="high")
    await client.post("/v1/translate", json={**GOOD, "priority": "low"})
    await still_answers(client)
    assert [job.options.stream for job in link.jobs] == [True, True, False, False]
    assert [job.options.priority for job in link.jobs] == [0, 0, 2, 1]
    owners = [job.owner for job in link.jobs]
    assert owners[0] == owners[1]
    assert len({*owners[1:]}) == 3
    assert all(owners)


async def test_every_layer_and_head_is_asked_of_the_engine_only_where_all_are_wanted(client, link) -> None:
    for kind in ("full", "soft"):
        await client.post("/v1/translate", json={**GOOD, "attention": kind})
    assert [job.options.heads for job in link.jobs] == [True, False]


async def test_bare_bytes_are_streamed_too(client) -> None:
    answer = await describe(client, picture(colour=(3, 3, 3)), stream="true", beam_size=1)
    assert events(answer.text)[-1].data["text"] == "dark"


def test_no_character_of_a_text_ends_a_line_of_an_event() -> None:
    """Python's own idea of a line ends at each of these; that of the standard does not, and JSON escapes the others."""
    text = "\u2028\u2029\x85\x0b\x0c\x1c\r\n"
    written = framed("token", TokenEvent(input=0, index=0, id=7, text=text, start=0, end=0, logprob=0), 1).decode()
    assert event(written.removesuffix("\n\n")).data["text"] == text
