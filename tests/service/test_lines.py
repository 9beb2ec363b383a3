"""Lines through the translator: in order, many at once, none spoiled by another; and the command that does it."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest

from bundle.manifest import Bundle
from service.api.desk import Desk
from service.errors import EngineFailed, HeedError, UnknownModel
from service.lines import through
from service.tasks.contract import Bounds
from service.tasks.translate import TASK, TranslateRequest
from tests.fakes import FakeLink, tiny_bundle
from tests.house.tree import ROOT
from tests.service.test_main import refused, run

TEXTS = ["the old house", "", "a red ball", " \t", "...", "red " * 40, "the park"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(tiny_bundle(tmp_path_factory.mktemp("zoo"), "tiny"))


@pytest.fixture
async def link(bundle: Bundle) -> FakeLink:
    link = FakeLink({"tiny": bundle})
    await link.start()
    return link


async def lines(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


def asked(text: str, **fields) -> TranslateRequest:
    return TranslateRequest(text=text, **fields)


def sent(link: FakeLink, texts: AsyncIterator[str], window: int = 4, views: int = 0, **fields):
    desk = Desk(link, Bounds(text_characters=100))
    return aclosing(through(desk, TASK, partial(asked, **fields), texts, window=window, views=views))


@pytest.mark.anyio
async def test_lines_come_out_in_order_blank_ones_blank_and_hopeless_ones_as_they_were(link) -> None:
    async with sent(link, lines(*TEXTS), views=1) as translated:
        said = [line async for line in translated]
    assert [line.text for line in said] == TEXTS
    codes = [None, None, None, None, "text_without_words", "text_too_long", None]
    assert [line.why for line in said] == codes
    assert [line.result is not None for line in said] == [True, False, True, False, False, False, True]
    assert [len(line.views) for line in said] == [1, 0, 0, 0, 0, 0, 0]


@pytest.mark.anyio
async def test_many_are_worked_on_at_once_but_never_more_than_the_window(link) -> None:
    link.hang = True
    async with sent(link, lines(*["the house"] * 50), window=4) as translated:
        first = asyncio.ensure_future(anext(translated))
        await link.arrivals(4)
        await asyncio.sleep(0.05)
        assert len(link.seated) == 4
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert not link.seated


@pytest.mark.anyio
async def test_a_line_is_told_before_the_next_one_is_there(link) -> None:
    more: asyncio.Queue[str] = asyncio.Queue()

    async def typed() -> AsyncIterator[str]:
        while True:
            yield await more.get()

    async with sent(link, typed()) as translated:
        for text in ("the house", "a ball"):
            more.put_nowait(text)
            assert (await anext(translated)).text == text


@pytest.mark.anyio
@pytest.mark.parametrize(("fields", "error"), [({"model": "nobody"}, UnknownModel), ({}, EngineFailed)])
async def test_what_is_wrong_with_every_line_ends_it(link, fields, error: type[HeedError]) -> None:
    link.error = None if fields else EngineFailed()
    with pytest.raises(error):
        async with sent(link, lines(*["the house"] * 9), **fields) as translated:
            _ = [line async for line in translated]
    assert not link.seated


@pytest.mark.anyio
async def test_lines_that_cannot_be_read_on_end_it_after_those_before(link) -> None:
    async def broken() -> AsyncIterator[str]:
        yield "the house"
        raise OSError("gone")

    async with sent(link, broken()) as translated:
        assert (await anext(translated)).text == "the house"
        with pytest.raises(OSError, match="gone"):
            await anext(translated)


def test_the_command_reads_files_shows_how_far_it_is_and_counts_what_it_passed_on(toys: Path, tmp_path) -> None:
    (tmp_path / "one").write_bytes(b"the old house\r\n\n!!!\n")
    (tmp_path / "two").write_bytes(b"a red ball")
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (24, 80))
    asked = ["translate", "--model", "toy-echo", "--map", str(tmp_path / "map.svg"), "--file"]
    environment = {**os.environ, "HEED_ZOO": str(toys), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", "service", *asked, *map(str, sorted(tmp_path.iterdir()))],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=inner,
    )
    os.close(inner)
    told = os.read(outer, 65536).decode()
    os.close(outer)
    assert (ended.returncode, ended.stdout.decode()) == (0, "the old house\n\n!!!\na red ball\n"), told
    assert "4/4" in told and "1 text_without_words" in told
    assert "<svg" in (tmp_path / "map.svg").read_text()[:200]


def test_ctrl_c_ends_the_command_with_what_it_has_said_and_no_traceback(toys: Path) -> None:
    environment = {**os.environ, "HEED_ZOO": str(toys), "PYTHONPATH": str(ROOT)}
    asked = [sys.executable, "-m", "service", "translate", "-", "--model", "toy-echo"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    heeds = partial(signal.signal, signal.SIGINT, signal.default_int_handler)  # though who runs the tests may not
    with subprocess.Popen(asked, cwd=ROOT, env=environment, preexec_fn=heeds, **pipes) as process:  # type: ignore[call-overload]  # noqa: PLW1509
        process.stdin.write(b"the old house\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"the old house\n"  # though standard input is still open
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == b""


def test_a_text_and_files_are_one_too_many_and_neither_is_too_little() -> None:
    refused(run("translate"), "--file")
    refused(run("translate", "house", "--file", "x"), "not both")
