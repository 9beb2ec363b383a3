"""Files over HTTP: brought, asked after, fetched and dropped, by their owners; in LibreTranslate's words too."""

from __future__ import annotations

import asyncio
import io
import zipfile
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from service.api.filing import FileBounds
from service.api.gate import Gate
from service.api.protection import Protection
from service.markup.files.opened import Limits
from tests.api.conftest import client_of
from tests.api.test_gate import keys
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
PAIR = {"source": "en", "target": "de"}


async def brought(client: httpx.AsyncClient, data: bytes, name: str = "notes.txt", **fields: str) -> httpx.Response:
    return await client.post("/v1/files", files={"file": (name, data)}, data={**PAIR, **fields})


async def finished(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (state := (await client.get(url)).json())["status"] in ("waiting", "working"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return dict(state)


async def test_a_file_is_translated_in_the_background_and_fetched(client) -> None:
    began = await brought(client, b"the house\n\n\nthe fox\n", "../My notes.txt")
    assert began.status_code == 202
    assert began.headers["location"] == began.json()["url"]
    state = await finished(client, began.json()["url"])
    assert (state["status"], state["progress"], state["texts"]) == ("done", 1.0, 2)
    result = await client.get(state["result"])
    kept = """attachment; filename="My notes.txt"; filename*=UTF-8''My%20notes.txt"""
    assert result.headers["content-disposition"] == kept
    assert result.content == b"the house\n\n\nthe fox\n"  # what this link says is what it hears
    assert (await client.delete(state["url"])).status_code == 204
    assert (await client.get(state["url"])).status_code == 404


async def test_a_name_that_is_not_ascii_is_told_in_both_ways(client) -> None:
    began = await brought(client, b"the house\n", "Notizen über 3.txt")
    state = await finished(client, began.json()["url"])
    told = (await client.get(state["result"])).headers["content-disposition"]
    plain, _, whole = told.removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert plain == "Notizen _ber 3.txt"
    assert unquote(whole) == "Notizen über 3.txt"


async def test_a_result_that_is_not_there_yet_is_asked_for_again_later(link: FakeLink) -> None:
    async with client_of(link, file_bounds=FileBounds(together=1)) as client:
        link.hang = True
        url = (await brought(client, b"the house")).json()["url"]
        early = await client.get(f"{url}/result")
        assert (early.status_code, early.json()["code"]) == (409, "file_not_ready")


async def test_a_file_that_takes_too_long_to_be_fetched_is_forgotten(link: FakeLink) -> None:
    async with client_of(link, file_bounds=FileBounds(seconds=0.05)) as client:
        url = (await brought(client, b"the house")).json()["url"]
        async with asyncio.timeout(10):
            while (await client.get(url)).status_code != 404:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_no_more_files_are_kept_than_there_is_room_for(link: FakeLink) -> None:
    async with client_of(link, file_bounds=FileBounds(files=1)) as client:
        first = await brought(client, b"the house")
        assert (await brought(client, b"the house")).json()["code"] == "queue_full"
        await client.delete(first.json()["url"])
        assert (await brought(client, b"the house")).status_code == 202
    async with client_of(FakeLink(link.bundles), file_bounds=FileBounds(bytes=20)) as client:
        assert (await brought(client, b"the house" * 3)).status_code == 429


async def test_with_keys_a_file_is_there_for_the_key_that_brought_it_alone(link: FakeLink, tmp_path) -> None:
    first, _ = keys(tmp_path)
    second, ring = keys(tmp_path)
    async with client_of(link, protection=Protection(gate=Gate(ring=ring, required=True))) as client:
        client.headers["X-API-Key"] = first
        url = (await brought(client, b"the house")).json()["url"]
        assert (await client.get(url)).status_code == 200
        client.headers["X-API-Key"] = second
        assert [(await client.request(how, url)).status_code for how in ("GET", "DELETE")] == [404, 404]
        assert (await client.get(f"{url}/result")).status_code == 404


@pytest.mark.parametrize(
    ("name", "data", "fields", "code"),
    [
        ("a.exe", b"the house", {}, "file_unsupported"),
        ("a.txt", b"\xff\xfe\xff", {}, "file_unreadable"),
        ("a.docx", b"the house", {}, "file_unreadable"),
        ("a.srt", b"the house", {}, "file_unreadable"),
        ("a.po", b"/etc/passwd", {}, "file_unreadable"),
        ("a.txt", b"the house " * 40, {}, "file_unreadable"),  # a paragraph beyond what a text may have here
        ("a.txt", b"the house", {"target": "xx"}, "unsupported_pair"),
    ],
)
async def test_what_cannot_be_translated_is_refused_at_once(client, name, data, fields, code) -> None:
    answer = await brought(client, data, name, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_without_a_file_there_is_nothing_to_do(client) -> None:
    answer = await client.post("/v1/files", files={"other": (None, "x")}, data=PAIR)
    assert answer.json()["code"] == "file_missing"


def bomb(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", data)
    return out.getvalue()


ENTITY = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><d>&a;</d>'


@pytest.mark.parametrize(
    "data", [bomb(word__document=b"<a>" + b" " * 5_000_000 + b"</a>"), bomb(word__document=ENTITY), bomb(other=b"<a/>")]
)
async def test_archives_that_unpack_to_too_much_or_declare_entities_are_refused(link: FakeLink, data: bytes) -> None:
    async with client_of(link, file_bounds=FileBounds(limits=Limits(unpacked=1_000_000))) as client:
        answer = await brought(client, data, "a.docx")
        assert (answer.status_code, answer.json()["code"]) == (422, "file_unreadable")


async def test_libretranslates_way_waits_and_tells_where_the_file_is(client) -> None:
    answer = await client.post("/translate_file", files={"file": ("a.html", b"<p>the <b>house</b></p>")}, data=PAIR)
    assert set(answer.json()) == {"translatedFileUrl"}
    url = answer.json()["translatedFileUrl"]
    assert url == f"http://heed{answer.headers['content-location']}"  # which a balancer remembers
    assert url.startswith("http://heed/download_file/")
    result = await client.get(url)
    assert result.content == b"<p>the <b>house</b></p>"
    assert "attachment" in result.headers["content-disposition"]
    wrong = await client.post("/translate_file", files={"file": ("a.exe", b"x")}, data=PAIR)
    assert set(wrong.json()) == {"error"}
    assert "docx" in (await client.get("/frontend/settings")).json()["supportedFilesFormat"]
