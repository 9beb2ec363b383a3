"""A translation on the page: words that light up, matrix, replay, beams, table, looks, address, downloads."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from bundle.manifest import Bundle
from tests.page.conftest import ROOT, Visit

TEXT = "A man in a red shirt rides a bicycle down the street."


WATCH = """() => { window.seen = new Set();
new MutationObserver(() => { const one = document.querySelector('.sentence.target');
  if (one) window.seen.add(one.textContent); }).observe(document.body, {subtree: true, childList: true}); }"""


# A quick server and a busy machine may bring every event in one piece: here each comes in a frame of its own.
ONE_A_FRAME = """() => { const sent = window.fetch;
window.fetch = async (...told) => {
  const answer = await sent(...told);
  if (!answer.headers.get("content-type").startsWith("text/event-stream")) return answer;
  const events = (await answer.text()).split("\\n\\n").map((one) => one + "\\n\\n"), bytes = new TextEncoder();
  const body = new ReadableStream({ async pull(out) {
    await new Promise(requestAnimationFrame);
    if (events.length > 1) out.enqueue(bytes.encode(events.shift())); else out.close(); } });
  return new Response(body, answer);
}; }"""


ORANGE = """() => {
  const canvas = document.querySelector('.matrix canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let found = 0;
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i] > 170 && pixels[i + 1] < 130 && pixels[i + 2] < 60) found++;
  return found;
}"""


def target(page: Page, number: int) -> Locator:
    return page.locator(".sentence.target .word").nth(number)


def source(page: Page, text: str) -> Locator:
    return page.locator(".sentence.source .word", has_text=text).first


def lit(word: Locator) -> bool:
    colour: str = word.evaluate("one => one.style.background")
    return colour != ""


def test_a_text_is_translated_as_it_is_typed_in(visit: Visit) -> None:
    page = visit.open()
    page.fill("textarea", "A small dog runs.")
    page.click("#translate .go")
    visit.answered()
    expect(page.locator(".sentence.target")).to_contain_text("Hund")


def test_the_answer_grows_while_it_is_made(visit: Visit) -> None:
    page = visit.open()
    page.evaluate(ONE_A_FRAME)
    page.evaluate(WATCH)
    page.fill("#translate [name=beam]", "1")
    page.fill("textarea", TEXT)
    page.press("textarea", "Control+Enter")
    visit.answered()
    seen = page.evaluate("[...window.seen]")
    last = page.locator(".sentence.target").text_content()
    assert last is not None
    assert any(last.startswith(one) and one != last for one in seen if one)


def test_before_the_answer_begins_nothing_of_it_is_shown(visit: Visit) -> None:
    page = visit.open()
    page.evaluate(
        "() => { const sent = window.fetch; window.fetch = (...told) => new Promise((resolve) => {"
        " window.go = () => resolve(sent(...told)); }); }"
    )
    page.fill("textarea", TEXT)
    page.click("#translate .go")
    page.wait_for_function("window.go !== undefined")
    assert not page.locator(".panel").is_visible()
    page.evaluate("window.go()")
    visit.answered()
    assert page.locator(".panel").is_visible() and not page.locator(".panel .picture").is_visible()


def test_pointing_at_a_word_lights_what_it_attended_to(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    shirt = page.locator(".sentence.target .word", has_text="Hemd")
    shirt.hover()
    expect(shirt).to_have_class("word on")
    strengths = page.locator(".sentence.source .word").evaluate_all("all => all.map(one => one.style.background)")
    words = page.locator(".sentence.source .word").all_text_contents()
    deepest = max(range(len(words)), key=lambda i: _depth(strengths[i]))
    assert words[deepest] == "shirt"
    source(page, "shirt").hover()
    assert lit(shirt)
    page.mouse.move(0, 0)
    assert not lit(shirt)


def _depth(colour: str) -> float:
    return 255 - float(colour.removeprefix("rgb(").split(",")[0]) if colour else 0.0


def test_words_are_reached_with_the_keyboard(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    target(page, 5).focus()
    assert lit(source(page, "shirt"))


def test_arrow_keys_walk_over_the_matrix_and_say_what_is_there(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    page.locator(".matrix canvas").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    said = page.locator(".matrix .cell").text_content()
    assert said is not None
    assert said.startswith("in ← man: ")
    expect(page.locator(".down .on")).to_have_text("in")


def test_pointing_into_the_matrix_marks_row_and_column(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    cell = page.evaluate("parseFloat(document.querySelector('.grid').style.getPropertyValue('--cell'))")
    page.locator(".matrix canvas").hover(position={"x": 5.5 * cell, "y": 5.5 * cell})
    expect(page.locator(".down .on")).to_have_text("Hemd")
    expect(page.locator(".across .on")).to_have_text("shirt")
    expect(target(page, 5)).to_have_class("word on")


def test_the_step_slider_replays_the_decoding(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    words = page.locator(".sentence.target .word").count()
    page.locator("input.step").fill("3")
    assert page.locator(".sentence.target .word.later").count() == words - 3
    expect(target(page, 2)).to_have_class("word on")
    page.click(".play")
    expect(page.locator(".sentence.target .word.later")).to_have_count(0, timeout=20_000)


def test_a_click_on_a_branch_shows_that_hypothesis(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT, view="beams")
    first = page.locator(".sentence.target").text_content()
    page.locator(".branch[aria-pressed=false]").last.click()
    other = page.locator(".sentence.target").text_content()
    assert other != first
    assert page.locator(".branch.on").count() >= 1


def test_the_table_holds_the_numbers_of_the_answer(visit: Visit) -> None:
    page = visit.open(task="translate", text="A small dog runs.", view="table")
    asked = {"text": "A small dog runs.", "source": "en", "target": "de", "beam_size": 5}
    map_ = httpx.post(f"{visit.server}/v1/translate", json=asked, timeout=30).json()["results"][0]["attention"]
    cells = page.locator("tbody tr").first.locator("td").all_text_contents()
    assert [float(one) for one in cells[:-1]] == pytest.approx(map_["weights"][0], abs=0.002)


def _pixels(page: Page) -> str:
    drawn: str = page.evaluate("document.querySelector('.matrix canvas').toDataURL()")
    return drawn


def test_threshold_scale_and_weights_change_what_is_drawn(visit: Visit) -> None:
    page = visit.open(task="translate", text=TEXT)
    seen = {_pixels(page)}
    page.locator("input.threshold").fill("0.3")
    seen.add(_pixels(page))
    page.select_option("label:has-text('Colours') select", "cividis")
    seen.add(_pixels(page))
    page.select_option("label:has-text('Weights') select", "column")
    seen.add(_pixels(page))
    assert len(seen) == 4


def test_layer_and_head_are_picked(visit: Visit) -> None:
    page = visit.open(task="translate", text="the red ball", model="toy-transformer")
    seen = set()
    for place in range(3):
        page.select_option("select.heads", str(place))
        seen.add(_pixels(page))
    # 2 layers of 3 heads, both stacks over themselves, and the mean that the toy shows by default
    assert page.locator("select.heads option").count() == 6 + 12 + 1
    assert len(seen) == 3


def test_the_map_that_a_model_shows_by_default_is_seen_first(visit: Visit) -> None:
    page = visit.open(task="translate", text="the red ball", model="toy-transformer")
    assert page.locator("select.heads option:checked").text_content() == "layer 1, mean of heads"
    far = page.evaluate("""() => { const { maps, layer } = document.querySelector(".panel").panel;
        const heads = maps.filter((one) => !one.stack && one.layer === 0 && one.head !== "mean");
        return Math.max(...maps[layer].weights.flatMap((row, i) => row.map((weight, j) =>
            Math.abs(weight - (heads[0].weights[i][j] + heads[1].weights[i][j] + heads[2].weights[i][j]) / 3)))); }""")
    assert far < 1e-6


def test_a_head_that_is_shown_by_default_is_the_one_picked(visit: Visit) -> None:
    def other(route: Route) -> None:
        usual, said = '"default_layer":0,"default_head":"mean"', '"default_layer":1,"default_head":2'
        route.fulfill(body=route.fetch().text().replace(usual, said), content_type="application/json")

    visit.page.route("**/v1/models", other)
    page = visit.open(task="translate", text="the red ball", model="toy-transformer")
    assert page.locator("select.heads option:checked").text_content() == "layer 2, head 3"
    assert page.locator("select.heads option").count() == 6 + 12


def test_a_text_over_itself_has_no_lines_to_the_answer(visit: Visit) -> None:
    page = visit.open(task="translate", text="the red ball", model="toy-transformer")
    line = page.locator(".sentence.source")
    expect(line).to_be_visible()
    page.select_option("select.heads", label="encoder over itself, layer 1, head 1")
    expect(line).to_be_hidden()
    page.click("[data-view=table]")
    expect(page.locator(".views table thead")).to_contain_text("ball")
    page.select_option("select.heads", "0")
    expect(line).to_be_visible()


def test_a_model_without_attention_says_so(visit: Visit) -> None:
    page = visit.open(task="translate", text="the red ball", model="toy-none")
    expect(page.locator(".views")).to_have_text("This model returns no map.")
    expect(page.locator(".test")).to_be_hidden()


def test_the_window_of_local_attention_is_framed(visit: Visit) -> None:
    page = visit.open(task="translate", text="the red ball and the dog", model="toy-local")
    frames = page.evaluate(ORANGE)
    assert frames > 50


def test_two_models_stand_side_by_side(visit: Visit) -> None:
    page = visit.open(task="translate", text="the red ball", model="en-de-bahdanau", beside="toy-transformer")
    assert page.locator(".panel h2").all_text_contents() == [
        f"en-de-bahdanau@{Bundle(ROOT / 'zoo/en-de-bahdanau').manifest.version}",
        "toy-transformer@0",
    ]
    page.locator(".panel").nth(0).locator(".sentence.source .word", has_text="red").hover()
    other = page.locator(".panel").nth(1).locator(".sentence.source .word", has_text="red").first
    expect(other).to_have_class("word on")


def test_the_address_is_a_permalink(visit: Visit) -> None:
    page = visit.open(task="translate", text="A small dog runs.", view="table", scale="amber")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    visit.answered()
    expect(page.locator("textarea")).to_have_value("A small dog runs.")
    expect(page.locator("[data-view=table]")).to_have_attribute("aria-selected", "true")
    expect(page.locator("label:has-text('Colours') select")).to_have_value("amber")


@pytest.mark.parametrize(
    ("ending", "magic"),
    [("png", b"\x89PNG"), ("svg", b"<svg"), ("html", b"<!doctype html>"), ("npz", b"PK"), ("json", b"{")],
)
def test_an_answer_is_saved(visit: Visit, ending: str, magic: bytes, tmp_path: Path) -> None:
    page = visit.open(task="translate", text="A small dog runs.")
    with page.expect_download() as waiting:
        page.click(f"[data-save={ending}]")
    path = tmp_path / "saved"
    waiting.value.save_as(path)
    content = path.read_bytes()
    assert magic in content[:200]
    if ending == "json":
        assert json.loads(content)["results"][0]["attention"]["queries"]


def test_the_languages_are_swapped_or_it_is_said_why_not(visit: Visit) -> None:
    page = visit.open()
    page.click("#swap")
    expect(page.locator("#said")).to_have_text("No model here translates from German to English.")


def test_a_refusal_is_told(visit: Visit) -> None:
    page = visit.open()
    page.fill("textarea", "!!!")
    page.press("textarea", "Control+Enter")
    expect(page.locator("#said")).to_contain_text("has no letter")
    assert all("422" in one for one in visit.wrong)  # the browser notes the status on its console
    visit.wrong.clear()


def test_what_users_write_never_becomes_code(visit: Visit) -> None:
    page = visit.open(task="translate", text="<img src=x onerror=alert(1)> a dog")
    assert page.locator(".panel img[src=x]").count() == 0
    expect(page.locator(".sentence.source")).to_contain_text("<img src=x")
