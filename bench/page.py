"""How smooth the playground is: frames while the pointer runs over a large matrix and over a caption's pictures.

Knows nothing of how the page is made. It drives the machine's own Chromium, headless and without a GPU, and reads the
browser's clock: the time between frames, and how long what a pointer move starts keeps the page busy, layout included.
"""

from __future__ import annotations

import argparse
import json
import shutil
import urllib.parse
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import machine, told

WORDS = "the red ball and the small dog run over the green grass by the old river"
RUN = """([selector, moves]) => new Promise((resolve) => {
  const stage = document.querySelector(selector), box = stage.getBoundingClientRect();
  const frames = [], busy = [];
  let last = null, i = 0;
  const once = (now) => {
    if (last !== null) frames.push(now - last);
    last = now;
    const [x, y] = [box.x + ((i * 37) % box.width), box.y + ((i * 23) % box.height)];
    const hit = document.elementFromPoint(x, y) ?? stage, before = performance.now();
    const over = new PointerEvent("pointermove", { bubbles: true, clientX: x, clientY: y });
    hit.dispatchEvent(over);
    hit.closest("button")?.dispatchEvent(new PointerEvent("pointerenter", { clientX: x, clientY: y }));
    document.body.getBoundingClientRect();
    busy.push(performance.now() - before);
    if (++i < moves) requestAnimationFrame(once); else resolve({ frames, busy });
  };
  stage.scrollIntoView();
  requestAnimationFrame(once);
})"""


def options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("url", help="a running server with a translator and a captioner")
    parser.add_argument("--picture", type=Path, required=True, help="a picture to be captioned")
    parser.add_argument("--words", type=int, default=60, help="of the text: a matrix of about so many rows and columns")
    parser.add_argument("--moves", type=int, default=300, help="pointer moves, one a frame")
    parser.add_argument("--shots", type=Path, help="a folder for screenshots: desktop and phone, by day and by night")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser")


def run(given: argparse.Namespace) -> int:
    """Measure both views and print them."""
    from playwright.sync_api import sync_playwright  # not needed to serve, so not installed everywhere

    print(told())
    figures: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        text = " ".join((WORDS.split() * (1 + given.words // 16))[: given.words])
        asked = urllib.parse.urlencode({"task": "translate", "text": text, "beam": 1, "view": "matrix"})
        page.goto(f"{given.url}/#{asked}")
        page.get_by_text("Done.", exact=True).wait_for(timeout=60_000)
        figures["matrix"] = _told(page.evaluate(RUN, [".matrix canvas", given.moves]))
        figures["matrix"]["cells"] = page.evaluate("() => document.querySelector('.down').children.length")
        page.click("#tab-caption")
        page.set_input_files("#caption [type=file]", given.picture)
        page.locator(".film .frame").first.wait_for(timeout=60_000)
        page.get_by_text("Done.", exact=True).wait_for(timeout=60_000)
        figures["caption"] = _told(page.evaluate(RUN, [".film", given.moves]))
        if given.shots:
            _shoot(browser, given)
        browser.close()
    print(f"{'view':8} {'frame ms':>9} {'longest':>8} {'busy ms':>8} {'longest':>8}")
    for name, one in figures.items():
        print(f"{name:8} {one['frame']:9.1f} {one['longest_frame']:8.1f} {one['busy']:8.2f} {one['longest_busy']:8.2f}")
    print(json.dumps({**figures, **machine()}))
    return 0


def _shoot(browser: Any, given: argparse.Namespace) -> None:
    """Screenshots of a translation at both widths, and of a caption."""
    asked = urllib.parse.urlencode(
        {"task": "translate", "text": "A man in a red shirt rides a bicycle down the street."}
    )
    for name, width, scheme in (("desktop", 1100, "light"), ("phone", 390, "dark"), ("caption", 1100, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.goto(given.url if name == "caption" else f"{given.url}/#{asked}")
        if name == "caption":
            page.click("#tab-caption")
            page.set_input_files("#caption [type=file]", given.picture)
        page.get_by_text("Done.", exact=True).wait_for(timeout=60_000)
        page.locator(".frame" if name == "caption" else ".sentence.target .word").nth(4).hover()
        page.screenshot(path=given.shots / f"playground-{name}.png", full_page=True)
        page.close()


def _told(measured: dict[str, list[float]]) -> dict[str, Any]:
    frames, busy = measured["frames"], measured["busy"]
    return {
        "frame": round(median(frames), 2), "longest_frame": round(max(frames), 2),
        "busy": round(median(busy), 3), "longest_busy": round(max(busy), 3),
    }  # fmt: skip
