"""Files that are being translated: what is kept of them, what they are charged, and who has to wait for whom."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from service.api import filing
from service.api.files import download
from service.api.filing import FileBounds
from service.api.gate import Gate
from service.api.protection import Protection
from service.errors import DeadlinePassed, HeedError, InternalError, OtherScript, RateLimited, UnknownPair
from service.markup import files
from service.markup.files.opened import Limits, Opened
from tests.api.conftest import client_of
from tests.api.test_files import bomb, brought, finished
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio


@pytest.fixture
def opened_files(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Opened]]:
    """Those that somebody still holds."""
    told: list[weakref.ref[Opened]] = []
    opens = files.opened

    def noted(name: str, data: bytes, limits: Limits) -> Any:
        file = opens(name, data, limits)
        told.append(weakref.ref(file.opened))
        return file

    def held() -> list[Opened]:
        gc.collect()
        assert told
        return [one for ref in told if (one := ref()) is not None]

    monkeypatch.setattr(filing, "opened", noted)
    return held


async def forgotten(held: Callable[[], object]) -> bool:
    """Whether nobody holds it, after as long as a busy machine may need to cancel what did."""
    async with asyncio.timeout(10):
        while held():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return True


async def test_what_was_dropped_is_held_by_nobody(link: FakeLink, opened_files) -> None:
    link.hang = True
    async with client_of(link) as client:
        url = (await brought(client, b"the house")).json()["url"]
        await link.arrivals(1)
        assert opened_files()
        await client.delete(url)
        assert await forgotten(opened_files)
        assert await forgotten(lambda: [one for one in gc.get_objects() if type(one) is filing.Filed and one.id in url])


@pytest.mark.parametrize("error", [None, InternalError, ValueError])
async def test_of_what_is_finished_the_result_alone_is_held(link: FakeLink, opened_files, error) -> None:
    link.error = error() if error else None
    async with client_of(link) as client:
        state = await finished(client, (await brought(client, b"the house")).json()["url"])
        link.error = None
        assert state["status"] == ("done" if error is None else "failed")
        assert await forgotten(opened_files)


def test_an_error_that_is_told_again_does_not_grow() -> None:
    filed = cast(Any, SimpleNamespace(error=InternalError(), result=None))
    lengths = []
    for _ in range(3):
        with pytest.raises(InternalError) as told:
            download(filed)
        lengths.append(len(told.traceback))
    assert len(set(lengths)) == 1


async def test_what_a_file_takes_here_counts_and_not_what_it_took_on_its_way(link: FakeLink) -> None:
    data = bomb(word__document=document("the house " * 20, 100))
    assert len(data) < 2000
    async with client_of(link, file_bounds=FileBounds(bytes=10_000)) as client:
        assert (await brought(client, data, "a.docx")).json()["code"] == "queue_full"
    async with client_of(FakeLink(link.bundles), file_bounds=FileBounds(bytes=1_000_000)) as client:
        assert (await brought(client, data, "a.docx")).status_code == 202


def document(text: str, paragraphs: int) -> bytes:
    named = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return f"<w:document {named}>{f'<w:p><w:r><w:t>{text}</w:t></w:r></w:p>' * paragraphs}</w:document>".encode()


async def test_a_file_that_is_opened_holds_a_place(link: FakeLink, monkeypatch: pytest.MonkeyPatch) -> None:
    began, release, opens = threading.Event(), threading.Event(), files.opened

    def slowly(*given: Any) -> Any:
        began.set()
        release.wait(20)
        return opens(*given)

    monkeypatch.setattr(filing, "opened", slowly)
    async with client_of(link, max_requests=1) as client:
        first = asyncio.create_task(brought(client, b"the house"))
        try:
            await asyncio.to_thread(began.wait, 20)
            async with asyncio.timeout(5):
                second = await brought(client, b"the house")
            assert (second.status_code, second.json()["code"]) == (429, "queue_full")
        finally:
            release.set()
        assert (await first).status_code == 202


async def test_texts_do_not_wait_for_files_that_are_opened(link: FakeLink, monkeypatch: pytest.MonkeyPatch) -> None:
    began, release, opens = threading.Event(), threading.Event(), files.opened

    def slowly(*given: Any) -> Any:
        began.set()
        release.wait(20)
        return opens(*given)

    monkeypatch.setattr(filing, "opened", slowly)
    async with client_of(link, desk_threads=1) as client:
        first = asyncio.create_task(brought(client, b"the house"))
        try:
            await asyncio.to_thread(began.wait, 20)
            async with asyncio.timeout(10):
                long = {"text": ["the old house\n" * 18] * 5, "source": "en", "target": "de"}
                assert (await client.post("/v1/translate", json=long)).is_success
        finally:
            release.set()
        assert (await first).status_code == 202


class Charging(Gate):
    """A gate that charges as a test says: what a cost raises, if anything."""

    def __init__(self, says: Callable[[int], HeedError | None]) -> None:
        super().__init__()
        self.says = says
        self.costs: list[int] = []

    async def charge(self, scope: Any, rows: int) -> None:
        self.costs.append(rows)
        if (refusal := self.says(rows)) is not None:
            raise refusal


async def of_gate(link: FakeLink, gate: Gate, data: bytes, **how: Any) -> dict[str, Any]:
    async with client_of(link, protection=Protection(gate=gate), **how) as client:
        return await finished(client, (await brought(client, data)).json()["url"])


async def test_what_costs_more_than_ever_passes_is_asked_in_parts_without_waiting(link: FakeLink) -> None:
    gate = Charging(lambda rows: RateLimited(limit=8, retry_after=3600) if rows > 8 else None)
    state = await of_gate(link, gate, b"the house\n\n" * 5)
    assert state["status"] == "done"
    assert gate.costs[:2] == [20, 8]


async def test_a_text_that_alone_costs_more_than_ever_passes_fails_the_file(link: FakeLink) -> None:
    gate = Charging(lambda rows: RateLimited(limit=3, retry_after=3600))
    state = await of_gate(link, gate, b"the house\n\nthe fox")
    assert (state["status"], state["error"]) == ("failed", "rate_limited")
    assert gate.costs == [8, 4]


async def test_a_text_is_not_asked_for_without_end(link: FakeLink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "WAIT", 0.001)
    gate = Charging(lambda rows: RateLimited(limit=100))
    state = await of_gate(link, gate, b"the house\n\nthe fox")
    assert (state["status"], state["error"]) == ("failed", "rate_limited")
    assert gate.costs == [8, *[4] * 10]
    late, gate = FakeLink(link.bundles), Charging(lambda _: None)
    late.error = DeadlinePassed()
    state = await of_gate(late, gate, b"the house\n\nthe fox")
    assert (state["status"], state["error"]) == ("failed", "deadline_exceeded")
    assert gate.costs == [8, *[4] * 3]


async def test_who_has_to_wait_lets_another_file_pass(link: FakeLink) -> None:
    refusals = [RateLimited(limit=100, retry_after=3600)]
    gate = Charging(lambda _: refusals.pop() if refusals else None)
    async with client_of(link, protection=Protection(gate=gate), file_bounds=FileBounds(together=1)) as client:
        first = (await brought(client, b"the house")).json()["url"]
        second = (await brought(client, b"the fox")).json()["url"]
        assert (await finished(client, second))["status"] == "done"
        assert (await client.get(first)).json()["status"] == "working"


async def test_what_nobody_foresaw_is_in_the_log_without_the_text(link: FakeLink, caplog) -> None:
    link.error = ValueError("the house")
    async with client_of(link) as client:
        began = (await brought(client, b"the house")).json()
        assert (await finished(client, began["url"]))["error"] == "internal_error"
    told = "".join(one.getMessage() for one in caplog.records if one.name == "heed.api")
    assert "ValueError at " in told
    assert "the house" not in told
    assert began["id"][:8] in told
    assert began["id"] not in told  # whoever knows it may fetch the file


async def test_a_text_in_another_script_is_left_as_it_is_and_a_pair_that_is_gone_fails_the_file(link: FakeLink) -> None:
    async with client_of(link) as client:
        text = "the house\n\nдом\n\nthe fox"
        state = await finished(client, (await brought(client, text.encode())).json()["url"])
        assert (await client.get(state["result"])).text == text
        for error, code in ((OtherScript(), None), (UnknownPair(), "unsupported_pair")):
            link.refusal = error
            state = await finished(client, (await brought(client, b"the house\n\nthe fox")).json()["url"])
            assert state.get("error") == code


async def test_what_was_fetched_gives_way_where_there_is_no_room(link: FakeLink) -> None:
    async with client_of(link, file_bounds=FileBounds(files=2)) as client:
        urls = [(await brought(client, b"the house")).json()["url"] for _ in range(2)]
        states = [await finished(client, url) for url in urls]
        assert (await brought(client, b"the fox")).status_code == 429
        assert (await client.get(states[1]["result"])).status_code == 200
        assert (await brought(client, b"\xff\xfe\xff")).status_code == 422  # nobody gives way to that
        assert (await client.get(states[1]["result"])).status_code == 200
        third = await brought(client, b"the fox")
        assert third.status_code == 202
        assert [(await client.get(url)).status_code for url in (*urls, third.json()["url"])] == [200, 404, 200]


async def test_nobody_takes_all_the_room(link: FakeLink) -> None:
    app = client_of(link, file_bounds=FileBounds(files=4, share=0.5))
    async with app as client:
        for _ in range(2):
            assert (await brought(client, b"the house")).status_code == 202
        assert (await brought(client, b"the house")).json()["code"] == "queue_full"
        elsewhere = httpx.ASGITransport(app.app, client=("192.0.2.7", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://heed") as other:
            assert (await brought(other, b"the house")).status_code == 202
