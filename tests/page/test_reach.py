"""Who can use the page: on a phone, in the dark, with a screen reader, on a slow line, with a large map."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.page.conftest import ROOT, Visit
from tests.page.test_pictures import PHOTO, describe

TEXT = "A man in a red shirt rides a bicycle down the street."
MOST = 150_000  # bytes of the page and all its scripts
SERIOUS = ("serious", "critical")


def barriers(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']} {[n['html'][:120] for n in one['nodes']][:3]}"
        for one in found
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["matrix", "beams", "table", "whatif"])
def test_axe_finds_nothing_serious(visit: Visit, scheme: str, view: str) -> None:
    visit.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page = visit.open(task="translate", text=TEXT, view=view)
    if view == "whatif":
        page.locator(".sentence.target .word").nth(5).click()
    assert barriers(page) == []


def test_axe_finds_nothing_serious_on_a_picture(visit: Visit) -> None:
    page = describe(visit, PHOTO)
    page.locator(".film .frame").nth(1).hover()
    assert barriers(page) == []


def test_nothing_is_wider_than_a_phone(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    page = visit.open(task="translate", text=TEXT)
    for view in ("matrix", "beams", "table", "whatif"):
        page.click(f"[data-view={view}]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_word_is_touched_on_a_phone(browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    visit = Visit(context.new_page(), server)
    page = visit.open(task="translate", text=TEXT)
    page.locator(".sentence.target .word", has_text="Hemd").tap()
    expect(page.locator(".choice.said")).to_contain_text("Hemd")
    context.close()
    assert visit.wrong == []


def test_tabs_are_walked_with_arrow_keys(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    page.locator("[data-view=matrix]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-view=beams]")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-view=beams]")).to_be_focused()


def test_the_page_and_its_scripts_are_small() -> None:
    assert sum(file.stat().st_size for file in (ROOT / "service/playground").iterdir()) <= MOST


LONG = " ".join(["the red ball and the small dog run over the green grass by the old river"] * 4)
HURRY = """() => new Promise((resolve) => {
  const canvas = document.querySelector(".matrix canvas"), said = [];
  const once = () => {
    const box = canvas.getBoundingClientRect(), i = said.length;
    const [clientX, clientY] = [box.x + ((i * 37) % box.width), box.y + ((i * 23) % box.height)];
    canvas.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX, clientY }));
    said.push(document.querySelector(".matrix .cell").textContent);
    if (said.length < 100) requestAnimationFrame(once); else resolve(said);
  };
  once();
})"""


def test_a_large_map_has_a_canvas_and_not_thousands_of_elements(visit: Visit) -> None:
    page = visit.open(task="translate", text=LONG, model="en-de-bahdanau", beam="1")
    assert page.locator(".down span").count() >= 40
    assert page.evaluate("document.querySelectorAll('.matrix *').length") < 400
    said = page.evaluate(HURRY)  # how fast is measured by `python -m bench page`
    assert len(set(said)) > 30  # pointer moves are answered, each with its own cell
