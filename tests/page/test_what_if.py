"""Asking what if: another piece, a pinned word, a masked place; and what a map is worth."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.conftest import Visit
from tests.page.test_pictures import PHOTO, describe

TEXT = "A man in a red shirt rides a bicycle down the street."


def test_a_click_on_a_word_tells_what_else_it_might_have_been_and_goes_on_from_there(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    page.locator(".sentence.target .word", has_text="Hemd").click()
    expect(page.locator(".choice.said")).to_contain_text("Hemd")
    other = page.locator(".choice:not(.said)").first
    instead = other.locator("b").text_content()
    assert instead is not None
    other.click()
    expect(page.locator(".sentence.target")).to_contain_text(instead)
    expect(page.locator(".difference del")).to_contain_text("Hemd")
    expect(page.locator(".difference ins")).to_contain_text(instead)
    page.click("[data-view=whatif]")
    page.click(".reset")
    expect(page.locator(".sentence.target")).to_contain_text("Hemd")


def test_dragging_a_word_to_another_pins_it_there(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    page.locator(".sentence.target .word", has_text="Hemd").drag_to(
        page.locator(".sentence.source .word", has_text="bicycle")
    )
    expect(page.locator(".chips li")).to_contain_text("Hemd looks at bicycle alone")
    page.click(".try")
    expect(page.locator(".difference .before")).to_contain_text("Hemd")
    page.click("[data-view=table]")
    row = page.locator("tbody tr").nth(5).locator("td").all_text_contents()
    assert float(row[8]) == 1.0  # bicycle is the ninth word, and now has all the weight


def test_pins_and_masks_are_chosen_from_lists_too_and_taken_back(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    page.click("[data-view=whatif]")
    page.select_option(".whatif select >> nth=1", "5")
    page.click(".whatif .mask")
    expect(page.locator(".chips li")).to_contain_text("nothing looks at shirt")
    page.click(".try")
    expect(page.locator(".difference .after")).to_be_visible()
    expect(page.locator(".sentence.source .word.masked")).to_have_text("shirt")
    page.click("[data-view=table]")
    column = page.locator("tbody tr td:nth-of-type(6)").all_text_contents()
    assert all(float(one) == 0 for one in column)
    page.click("[data-view=whatif]")
    page.click(".chips button")
    expect(page.locator(".chips li")).to_have_count(0)


def test_a_cell_of_a_picture_is_masked(visit: Visit) -> None:
    page = describe(visit, PHOTO)
    page.locator(".sides .stage").click(position={"x": 100, "y": 100})
    page.click("[data-view=whatif]")
    expect(page.locator(".whatif select >> nth=1")).not_to_have_value("0")
    page.click(".whatif .mask")
    page.click(".try")
    expect(page.locator(".difference .after")).to_be_visible()


def test_a_map_is_tested_and_rows_that_decided_nothing_are_hatched(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    expect(page.locator(".belief")).to_contain_text("not tested")
    page.click(".test")
    expect(page.locator(".belief")).to_contain_text("changes")
    told = page.locator(".belief").text_content()
    assert told is not None
    hatched = page.locator(".sentence.target .word.hatched").count()
    assert (f"hatched: {hatched} of" in told) == (hatched > 0)


def test_a_caption_is_translated_with_a_map_over_the_picture(visit: Visit) -> None:
    page = visit.open()
    page.click("#tab-caption")
    page.select_option("#caption [name=into]", "de")
    page.set_input_files("#caption [type=file]", PHOTO)
    visit.answered()
    expect(page.locator(".translation .word").first).to_be_visible()
    page.locator(".translation .word").nth(1).hover()
    expect(page.locator(".picture .fine")).to_contain_text("brightest at row")
