"""A picture on the page: four ways in, one map a word, and an overlay that lies exactly where the weight is."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.page.conftest import ROOT, Visit

PHOTO = ROOT / "docs/photos/astronaut.jpg"
SIDE = 14
ROUND = 8  # pixels of the stage's rounded corners, where the page shines through


def describe(visit: Visit, path: Path, model: str = "caption-soft") -> Page:
    page = visit.open()
    page.click("#tab-caption")
    page.select_option("#caption [name=model]", model)
    page.set_input_files("#caption [type=file]", path)
    visit.answered()
    return page


def test_each_word_of_a_caption_has_its_picture(visit: Visit) -> None:
    page = describe(visit, PHOTO)
    words = page.locator(".sentence.caption .word").all_text_contents()
    assert len(words) >= 4
    assert page.locator(".film .frame").count() == len(words)
    page.locator(".film .frame").nth(2).hover()
    expect(page.locator(".sentence.caption .word").nth(2)).to_have_class("word on")
    expect(page.locator(".picture .fine")).to_contain_text(f"{words[2]}: brightest at row")
    expect(page.locator(".picture .fine")).to_contain_text("gate β")


def test_a_picture_is_dropped_pasted_or_taken(visit: Visit) -> None:
    page = visit.open()
    content = base64.b64encode(PHOTO.read_bytes()).decode()
    for event, field in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.evaluate(HAND_OVER, [content, event, field])
        visit.answered()
        expect(page.locator("#tab-caption")).to_have_attribute("aria-selected", "true")
        assert page.locator(".film .frame").count() > 1
        page.evaluate(FORGET)
    page.click("#camera")
    page.click("#snap")
    visit.answered()
    assert page.locator(".film .frame").count() > 1


def test_no_picture_is_taken_before_the_camera_has_one(visit: Visit) -> None:
    page = visit.open()
    page.click("#tab-caption")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = async () => new MediaStream(); }")
    page.click("#camera")
    expect(page.locator("#snap")).to_be_visible()
    expect(page.locator("#snap")).to_be_disabled()


FORGET = """() => {
  document.getElementById("said").textContent = "";
  document.getElementById("answers").replaceChildren();
}"""
HAND_OVER = """([content, name, field]) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  document.getElementById("tab-caption").click();
  if (name === "paste") document.getElementById("tab-translate").click();
  const place = name === "drop" ? document.getElementById("drop") : document;
  const event = new Event(name, { bubbles: true, cancelable: true });
  Object.defineProperty(event, field, { value: data });
  place.dispatchEvent(event);
}"""


def test_overlay_and_opacity_change_the_look(visit: Visit) -> None:
    page = describe(visit, PHOTO)
    page.locator(".film .frame").nth(1).click()
    veil = page.locator(".sides .veil")
    page.select_option("select.look", "grid")
    expect(veil).to_have_class("veil squares")
    before = veil.evaluate("one => one.toDataURL()")
    page.locator("input.opacity").fill("0.3")
    assert veil.evaluate("one => one.toDataURL()") != before


def test_replaying_a_caption_lights_one_word_after_the_other(visit: Visit) -> None:
    page = describe(visit, PHOTO)
    page.locator("input.step").fill("2")
    expect(page.locator(".film .frame").nth(1)).to_have_class("frame on")
    assert page.locator(".film .frame.later").count() == page.locator(".film .frame").count() - 2


# The lamp looks where the picture is bright. So the overlay's clearest place must be where the bright square is on the
# screen, whatever the browser did to the picture: measured on the screen itself.

ORIENTATIONS: dict[str, tuple[tuple[int, int], int]] = {
    "landscape": ((640, 360), 1),
    "portrait": ((300, 620), 1),
    "rotated by EXIF": ((640, 360), 6),
    "mirrored by EXIF": ((640, 360), 2),
    "turned over by EXIF": ((500, 500), 3),
}


def lit_picture(size: tuple[int, int], row: int, column: int, orientation: int) -> bytes:
    """A dark picture with one bright cell of its 14 × 14, as it is stored; EXIF says how to turn it."""
    width, height = size
    picture = Image.new("RGB", size, (30, 30, 30))
    box = (column * width // SIDE, row * height // SIDE, (column + 1) * width // SIDE, (row + 1) * height // SIDE)
    picture.paste((255, 255, 255), box)
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


PEAK = """() => {
  const veil = document.querySelector(".sides .veil"), box = veil.getBoundingClientRect();
  const pixels = veil.getContext("2d").getImageData(0, 0, veil.width, veil.height).data;
  let best = 0;
  for (let i = 0; i < pixels.length / 4; i++) if (pixels[4 * i + 3] < pixels[4 * best + 3]) best = i;
  return [box.x + ((best % veil.width) + 0.5) * box.width / veil.width,
          box.y + (Math.floor(best / veil.width) + 0.5) * box.height / veil.height, box.width, box.height];
}"""


def bright(page: Page) -> tuple[float, float]:
    """The middle of the bright square on the screen, found on a screenshot without the overlay."""
    page.evaluate("() => { document.querySelector('.sides .veil').style.visibility = 'hidden'; }")
    stage = page.locator(".sides .stage")
    box = stage.bounding_box()
    assert box is not None
    shot = Image.open(io.BytesIO(stage.screenshot())).convert("L")
    page.evaluate("() => { document.querySelector('.sides .veil').style.visibility = ''; }")
    inside = shot.crop((ROUND, ROUND, shot.width - ROUND, shot.height - ROUND))
    found = inside.point(lambda value: 255 if value > 140 else 0).getbbox()
    assert found is not None
    return box["x"] + ROUND + (found[0] + found[2]) / 2, box["y"] + ROUND + (found[1] + found[3]) / 2


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("cell", [(2, 10), (11, 3)])
def test_the_overlay_is_brightest_where_the_picture_is(
    visit: Visit, tmp_path: Path, name: str, cell: tuple[int, int]
) -> None:
    size, orientation = ORIENTATIONS[name]
    path = tmp_path / "lit.jpg"
    path.write_bytes(lit_picture(size, *cell, orientation))
    page = describe(visit, path, "toy-lamp")
    page.locator(".film .frame").first.click()
    page.locator(".sides .stage").scroll_into_view_if_needed()
    x, y, width, height = page.evaluate(PEAK)
    there = bright(page)
    assert abs(there[0] - x) <= width / SIDE / 2
    assert abs(there[1] - y) <= height / SIDE / 2


CROPPED = """(() => {
  const fetched = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await fetched(...asked);
    if (asked[0] !== "/v1/caption") return answer;
    const text = await answer.text();
    return new Response(text.replaceAll('"crop":[0,0,600,400]', '"crop":[100,0,500,400]'), answer);
  };
})()"""


def test_the_overlay_of_a_cropped_picture_lies_over_the_crop(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "lit.jpg"
    path.write_bytes(lit_picture((600, 400), 7, 7, 1))
    visit.page.add_init_script(CROPPED)  # as if the net had seen only the middle
    page = describe(visit, path, "toy-lamp")
    page.locator(".film .frame").first.click()
    x, y, width, height = page.evaluate(PEAK)
    stage = page.locator(".sides .stage").bounding_box()
    assert stage is not None
    assert width == pytest.approx(stage["width"] * 400 / 600, abs=1)
    assert height == pytest.approx(stage["height"], abs=1)
    assert x == pytest.approx(stage["x"] + stage["width"] * (100 + 7.5 * 400 / SIDE) / 600, abs=width / SIDE / 2)
    assert y == pytest.approx(stage["y"] + stage["height"] * 7.5 / SIDE, abs=height / SIDE / 2)
