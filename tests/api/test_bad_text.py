"""POST /v1/translate: every bad request has its stable code, and the next good one is answered."""

from __future__ import annotations

import json

import pytest

from tests.api.asking import GOOD, problem, still_answers
from tests.api.conftest import BODY_BYTES, client_of

pytestmark = pytest.mark.anyio
UNSEEN = "swordfish"


def text(value: object) -> dict[str, object]:
    return {**GOOD, "text": value}


BAD = {
    "empty text": (text(""), 422, "text_empty", "/text"),
    "only spaces": (text(" \t\n\u3000"), 422, "text_empty", "/text"),
    "only emoji": (text("\U0001f98a\U0001f98a \U0001f44d\U0001f3fd"), 422, "text_without_words", "/text"),
    "only control characters": (text("\x00\x01\x07\x7f"), 422, "text_without_words", "/text"),
    "only marks nobody sees": (text("\u200b\u200d\ufeff\u202e"), 422, "text_without_words", "/text"),
    "an empty list": (text([]), 422, "text_empty", "/text"),
    "one empty text among others": (text(["the house", " ", "a ball"]), 422, "text_empty", "/text/1"),
    "too many texts": (text(["house"] * 6), 422, "invalid_request", "/text"),
    "a megabyte of text": (text("house " * 170_000), 422, "text_too_long", "/text"),
    "more pieces than the model reads": (
        {**text("x " * 100), "compare": True, "prefix": "x"},
        422,
        "text_too_long",
        "/text",
    ),
    "a prefix as long as the answer": ({**GOOD, "prefix": "house " * 30}, 422, "text_too_long", "/prefix"),
    "an unknown pair": ({**GOOD, "source": "de", "target": "en"}, 422, "unsupported_pair", "/source"),
    "a pair the named model has not": ({**GOOD, "model": "tiny-fr-de"}, 422, "unsupported_pair", "/source"),
    "a source that could be several": ({"text": "house", "target": "de"}, 422, "invalid_request", "/source"),
    "a target that could be several": ({"text": "house", "source": "en"}, 422, "invalid_request", "/target"),
    "an unknown model": ({**GOOD, "model": UNSEEN}, 404, "unknown_model", None),
    "a model of another task": ({**GOOD, "model": "tiny-caption"}, 422, "wrong_task", "/model"),
    "no text": ({"source": "en", "target": "de"}, 422, "invalid_request", "/text"),
    "a number for a text": (text(7), 422, "invalid_request", "/text"),
    "a number among texts": (text(["house", 7]), 422, "invalid_request", "/text/1"),
    "an object for a text": (text({UNSEEN: 1}), 422, "invalid_request", "/text"),
    "a list for a body": ([GOOD], 422, "invalid_request", ""),
    "null for a body": (None, 422, "invalid_request", ""),
    "a word for a beam": ({**GOOD, "beam_size": UNSEEN}, 422, "invalid_request", "/beam_size"),
    "beam 0": ({**GOOD, "beam_size": 0}, 422, "invalid_request", "/beam_size"),
    "beam 10,000": ({**GOOD, "beam_size": 10_000}, 422, "invalid_request", "/beam_size"),
    "a beam of many digits": ({**GOOD, "beam_size": 10**40}, 422, "invalid_request", "/beam_size"),
    "more hypotheses than beams": ({**GOOD, "beam_size": 2, "n_best": 3}, 422, "invalid_request", "/n_best"),
    "length 0": ({**GOOD, "max_length": 0}, 422, "invalid_request", "/max_length"),
    "a negative length penalty": ({**GOOD, "length_penalty": -1}, 422, "invalid_request", "/length_penalty"),
    "an unknown kind of attention": ({**GOOD, "attention": "max"}, 422, "invalid_request", "/attention"),
    "an unknown field": ({**GOOD, "beams": 5}, 422, "invalid_request", "/beams"),
    "a field of a later version": ({**GOOD, "explain": True}, 422, "invalid_request", "/explain"),
    "an unknown priority": ({**GOOD, "priority": "highest"}, 422, "invalid_request", "/priority"),
}


@pytest.mark.parametrize(("body", "status", "code", "pointer"), BAD.values(), ids=BAD)
async def test_a_bad_request_has_its_code_and_hurts_nobody(client, link, body, status, code, pointer) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post("/v1/translate", content=json.dumps(body), headers=headers)
    told = problem(answer, status, code)
    assert told.get("errors", [{"pointer": None}])[0]["pointer"] == pointer
    assert UNSEEN not in answer.text
    assert not link.jobs, "bad input dies before the queue"
    await still_answers(client)


BROKEN = {
    "no body": b"",
    "half of it": b'{"text": "the ho',
    "not a number": b'{"text": "house", "length_penalty": ',
    "half of a pair of surrogates": b'{"text": "\\ud83e house", "target": "fr"}',
    "bytes that are no UTF-8": b'{"text": "\xff\xfe", "target": "fr"}',
    "a thousand brackets": b"[" * 100_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_a_body_that_is_not_json_is_malformed(client, body) -> None:
    answer = await client.post("/v1/translate", content=body, headers={"content-type": "application/json"})
    problem(answer, 400, "malformed_request")
    await still_answers(client)


async def test_not_a_number_is_no_length_penalty(client) -> None:
    answer = await client.post("/v1/translate", content=b'{"text": "house", "target": "fr", "length_penalty": NaN}')
    problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "limit", "actual"),
    [
        (text("x " * 400), 300, 800),  # characters
        (text(["house"] * 6), 5, 6),
        ({**GOOD, "beam_size": 10_000}, 8, 10_000),
        ({**GOOD, "beam_size": 0}, 1, 0),
    ],
)
async def test_a_crossed_bound_is_told_with_its_limit_and_the_value(client, body, limit, actual) -> None:
    told = (await client.post("/v1/translate", json=body)).json()
    assert (told["limit"], told["actual"]) == (limit, actual)


async def test_the_longest_text_to_be_read_as_one_is_answered_and_one_piece_more_is_not(client, bundles) -> None:
    pieces = len(bundles["tiny-en-de"].text.ids("a"))
    longest = " ".join(["a"] * (39 // pieces))  # 40 pieces with EOS
    as_one = {"compare": True, "prefix": "a"}
    assert (await client.post("/v1/translate", json=text(longest) | as_one)).status_code == 200
    told = problem(await client.post("/v1/translate", json=text(longest + " a") | as_one), 422, "text_too_long")
    assert (told["limit"], told["actual"]) == (40, 41)


async def test_an_unknown_pair_is_told_what_pairs_there_are(client) -> None:
    told = (await client.post("/v1/translate", json={**GOOD, "target": "tlh"})).json()
    assert "en-de, en-fr, fr-de" in told["detail"]


async def test_a_thousand_mistakes_are_not_all_repeated(client) -> None:
    told = (await client.post("/v1/translate", json={f"field{i}": 1 for i in range(1000)})).json()
    assert len(told["errors"]) == 20


async def test_a_form_is_no_translation_request(client) -> None:
    told = problem(await client.post("/v1/translate", data={"text": "house"}), 415, "unsupported_media_type")
    assert "application/json" in told["detail"]
    await still_answers(client)


async def test_options_in_the_query_beside_json_are_not_ignored_in_silence(client) -> None:
    answer = await client.post("/v1/translate?beam_size=3", json=GOOD)
    assert problem(answer, 422, "invalid_request")["errors"][0]["pointer"] == "?beam_size"


async def test_a_body_that_says_it_is_too_large_is_refused_unread(client) -> None:
    async def never() -> object:
        raise AssertionError("read")
        yield b""

    answer = await client.post("/v1/translate", content=never(), headers={"content-length": str(BODY_BYTES + 1)})
    told = problem(answer, 413, "body_too_large")
    assert (told["limit"], told["actual"]) == (BODY_BYTES, BODY_BYTES + 1)
    await still_answers(client)


async def test_a_body_that_grows_too_large_is_read_no_further(client) -> None:
    read = 0

    async def endless() -> object:
        nonlocal read
        while True:
            read += 1
            yield b" " * 100_000

    problem(await client.post("/v1/translate", content=endless()), 413, "body_too_large")
    assert read <= BODY_BYTES / 100_000 + 2
    await still_answers(client)


async def test_a_deadline_that_passes_is_a_504_and_frees_the_slot(link) -> None:
    link.hang = True
    async with client_of(link, deadline_seconds=-0.9) as client:  # the engine's second of grace is nearly over
        problem(await client.post("/v1/translate", json=GOOD), 504, "deadline_exceeded")
    assert link.cancelled == [job.id for job in link.jobs]


async def test_the_engine_is_told_the_deadline(client, link) -> None:
    await client.post("/v1/translate", json=GOOD)
    assert link.jobs[0].options.deadline is not None
