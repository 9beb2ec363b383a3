"""Bodies: whole before anything is spent on them, within their size and time, and forms that are exactly forms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from service.api.form import MOST_FIELD_BYTES, MOST_PARTS, parts
from service.api.protection import Protection
from service.errors import Malformed
from tests.api.asking import GOOD, picture, problem, still_answers
from tests.api.conftest import client_of

WHITE = picture(colour="white")
KIND = "multipart/form-data; boundary=x"


async def slowly(gate: asyncio.Event) -> AsyncIterator[bytes]:
    """A body that begins, and goes on when it is told to."""
    whole = json.dumps(GOOD).encode()
    yield whole[:5]
    await gate.wait()
    yield whole[5:]


def post(client, content, path="/v1/translate"):
    return asyncio.create_task(client.post(path, content=content, headers={"content-type": "application/json"}))


@pytest.mark.anyio
async def test_those_who_send_slowly_hold_no_place(link) -> None:
    async with client_of(link, max_requests=2) as client:
        gate = asyncio.Event()
        slow = [post(client, slowly(gate)) for _ in range(10)]
        await asyncio.sleep(0)
        await still_answers(client)
        gate.set()
        statuses = {(await one).status_code for one in slow}
        assert statuses <= {200, 429}


@pytest.mark.anyio
async def test_a_body_that_takes_too_long_is_408_and_can_be_sent_again(link) -> None:
    async with client_of(link, protection=Protection(body_seconds=0.01)) as client:
        answer = await post(client, slowly(asyncio.Event()))
        assert problem(answer, 408, "body_too_slow")
        assert answer.headers["connection"] == "close"
    assert not link.jobs


@pytest.mark.anyio
async def test_where_too_much_arrives_at_once_the_longest_on_its_way_is_let_go(link) -> None:
    async with client_of(link, protection=Protection(bodies_bytes=8)) as client:
        first_gate, second_gate = asyncio.Event(), asyncio.Event()
        first = post(client, slowly(first_gate))
        await asyncio.sleep(0.01)
        second = post(client, slowly(second_gate))
        problem(await first, 408, "body_too_slow")
        second_gate.set()
        assert (await second).status_code == 200


@pytest.mark.anyio
async def test_texts_may_be_less_large_than_pictures(link) -> None:
    how = Protection(body_bytes=100_000, text_bytes=1000)
    async with client_of(link, protection=how) as client:
        told = problem(await client.post("/v1/translate", content=b"x" * 1001), 413, "body_too_large")
        assert told["limit"] == 1000
        answer = await client.post("/v1/caption", content=WHITE + bytes(2000), headers={"content-type": "image/png"})
        assert answer.status_code == 200


@pytest.mark.anyio
async def test_a_client_that_leaves_while_it_sends_is_nobodys_error(link, caplog) -> None:
    app, sent = client_of(link).app, []
    news = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{", "more_body": True}]

    async def receive():
        return news.pop()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/translate", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    assert not sent
    assert "Error" not in caplog.text


@pytest.mark.anyio
async def test_a_compressed_body_is_not_opened(client) -> None:
    answer = await client.post("/v1/translate", json=GOOD, headers={"content-encoding": "gzip"})
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.anyio
async def test_more_streams_than_there_are_places_for_them_are_refused(link) -> None:
    link.hang = True
    async with client_of(link, max_streams=1) as client:
        first = post(client, json.dumps({**GOOD, "stream": True}).encode())
        await link.arrivals(1)
        problem(await client.post("/v1/translate", json={**GOOD, "stream": True}), 429, "queue_full")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        link.hang = False
        await still_answers(client)
        assert (await client.post("/v1/translate", json={**GOOD, "stream": True})).status_code == 200


def form(*each: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(b"--x\r\n" + one + b"\r\n" for one in each) + end


def field(name: str, value: bytes, more: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value


FILE = field("file", WHITE, '; filename="a.png"')


def test_a_form_is_its_file_and_its_texts() -> None:
    assert parts(KIND, form(FILE, field("beam_size", b"2")), "file") == (WHITE, {"beam_size": "2"})


BAD = {
    "a name twice": form(FILE, field("a", b"1"), field("a", b"2")),
    "the file twice": form(FILE, FILE),
    "file and text of one name": form(FILE, field("file", b"1")),
    "another file": form(FILE, field("b", WHITE, '; filename="b"')),
    "too many parts": form(FILE, *(field(f"a{i}", b"1") for i in range(MOST_PARTS))),
    "a long text": form(FILE, field("a", b"1" * (MOST_FIELD_BYTES + 1))),
    "a long header": form(field("a" * 10_000, b"1")),
    "many headers": form(b"a: b\r\n" * 50 + FILE),
    "no name": form(b"Content-Disposition: form-data\r\n\r\n1"),
    "no disposition": form(b"\r\n1"),
    "not a form's part": form(b'Content-Disposition: attachment; name="file"; filename="a"\r\n\r\n1'),
    "an encoding of its own": form(b"Content-Transfer-Encoding: base64\r\n" + FILE),
    "no UTF-8": form(FILE, field("a", b"\xff")),
    "cut off": form(FILE, end=b""),
    "another boundary": form(FILE).replace(b"--x", b"--y"),
    "nothing": b"",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_is_not_exactly_a_form_is_malformed(body) -> None:
    with pytest.raises(Malformed):
        parts(KIND, body, "file")


@pytest.mark.parametrize("kind", ["multipart/form-data", f"multipart/form-data; boundary={'x' * 300}"])
def test_a_boundary_that_is_missing_or_absurd_is_malformed(kind) -> None:
    with pytest.raises(Malformed):
        parts(kind, form(FILE), "file")
