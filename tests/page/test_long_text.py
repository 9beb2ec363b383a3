"""The playground with a text of several sentences: all of it is shown, and its words light up across its maps."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.conftest import Visit


def test_every_sentence_of_a_text_is_shown_with_its_words(visit: Visit) -> None:
    page = visit.open(text="A small dog runs. Two men are talking.\n\nThe woman sleeps.", source="en", target="de")
    expect(page.locator(".sentence.target")).to_contain_text("Hund")
    assert "\n\n" in (page.locator(".sentence.target").text_content() or "")
    last = page.locator(".sentence.source .word", has_text="sleeps")
    expect(last).to_have_count(1)
    weights = page.locator(".sentence.target .word")
    weights.last.hover()
    first = page.locator(".sentence.source .word", has_text="small")
    assert last.evaluate("one => one.style.background") != first.evaluate("one => one.style.background")
