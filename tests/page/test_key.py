"""Where keys are required the page asks for one, keeps it in its tab, and sends it with everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.page.conftest import ROOT, Visit, serving


def test_without_a_key_the_page_asks_for_one(browser: Browser, toys: Path, tmp_path: Path) -> None:
    (tmp_path / "toy-echo").symlink_to(toys / "toy-echo")
    told = {"HEED_KEYS_FILE": str(tmp_path / "keys.json"), "HEED_KEYS_REQUIRED": "true"}
    made = subprocess.run(
        [sys.executable, "-m", "service", "keys", "add", "page"],
        cwd=ROOT,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=True,
    )
    key = next(word for word in made.stdout.split() if word.startswith("heed"))
    with serving(tmp_path, **told) as address:
        visit = Visit(browser.new_page(), address)
        page = visit.page
        page.goto(address)
        page.fill("#key input", key)
        page.click("#key button")
        expect(page.locator("#key")).to_be_hidden()
        page.fill("textarea", "the red ball")
        page.press("textarea", "Control+Enter")
        visit.answered()
        expect(page.locator(".sentence.target")).to_have_text("the red ball")
        page.close()
