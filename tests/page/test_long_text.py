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


TELL = """async (events) => {
  const { Live } = await import("/assets/live.js");
  const live = new Live({ fields: { text: "One. Two." } });
  const seen = [];
  for (const [name, data] of events) {
    live.hear(name, data);
    seen.push([live.state().text, live.state().map.weights.length]);
  }
  return seen;
}"""


def test_sentences_are_told_one_behind_the_other_each_over_its_own_map(visit: Visit) -> None:
    page = visit.open()
    keys = {"type": "text", "items": [{"i": 0, "text": "One.", "start": 0, "end": 4}]}
    token = {"start": 0, "end": 1, "logprob": -0.1, "attention": [1.0]}
    told = [
        ("start", {"input": 0, "sentence": 0, "model": "m", "keys": keys}),
        ("token", {"text": "Eins", **token}),
        ("token", {"text": ".", **token}),
        ("start", {"input": 0, "sentence": 1, "model": "m", "keys": keys}),
        ("hypothesis", {"kept": 0, "tokens": [{"text": " Drei", **token}]}),
        ("hypothesis", {"kept": 0, "tokens": [{"text": " Zwei", **token}, {"text": ".", **token}]}),
    ]
    seen = [["", 0], ["Eins", 1], ["Eins.", 2], ["Eins.", 0], ["Eins. Drei", 1], ["Eins. Zwei.", 2]]
    assert page.evaluate(TELL, told) == seen
