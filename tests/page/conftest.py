"""A real server with the shipped bundles and two toys, and a headless Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TOYS = ("toy-transformer", "toy-none", "toy-local", "toy-lamp")
START = 60.0  # seconds that a busy machine may need
FAKE_CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="session")
def server(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with both shipped bundles and the toys that show something else."""
    zoo = tmp_path_factory.mktemp("zoo")
    for bundle in (ROOT / "zoo/en-de-bahdanau", ROOT / "zoo/caption-soft", *(toys / name for name in TOYS)):
        (zoo / bundle.name).symlink_to(bundle)
    with serving(zoo, HEED_MODELS=",".join(["en-de-bahdanau", "caption-soft", *TOYS])) as address:
        yield address


@contextmanager
def serving(zoo: Path, **told: str) -> Iterator[str]:
    """The address of a server in a process of its own, with these settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told |= {"HEED_PORT": str(port), "HEED_ZOO": str(zoo), "HEED_LINK": "local"}
    command, address = [sys.executable, "-m", "service", "serve"], f"http://127.0.0.1:{port}"
    with (zoo / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told}, stderr=log)
        try:
            _wait(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{address}/health/ready", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError("the server did not start")


@pytest.fixture(scope="package")  # its event loop must be gone before tests of other rooms run theirs
def browser() -> Iterator[Browser]:
    """Headless Chromium, the machine's own."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *FAKE_CAMERA])
        yield started
        started.close()


class Visit:
    """A page, what went wrong on it, and what it asked of whom."""

    def __init__(self, page: Page, server: str) -> None:
        self.page, self.server = page, server
        self.wrong: list[str] = []
        self.outside: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _request(self, url: str) -> None:
        if not url.startswith((self.server, "blob:", "data:")):
            self.outside.append(url)

    def open(self, **asked: str) -> Page:
        """The page, with something asked in its address, once it is answered."""
        told = httpx.QueryParams(asked)
        self.page.goto(f"{self.server}/#{told}" if asked else self.server)
        expect(self.page.locator("#translate [name=source] option")).not_to_have_count(0)
        if "text" in asked:
            self.answered()
        return self.page

    def answered(self) -> None:
        """Wait for the end of an answer."""
        expect(self.page.locator("#said")).to_have_text("Done.", timeout=30_000)


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    """A fresh page; in the end nothing may be wrong on it, and nothing asked of anybody else."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    context.grant_permissions(["camera"], origin=server)
    context.set_default_timeout(15_000)
    visit = Visit(context.new_page(), server)
    yield visit
    context.close()
    assert visit.wrong == []
    assert visit.outside == []
