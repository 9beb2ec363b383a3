"""Placeholders, protected spans and tags through real models: the shipped one, and toys that say anything at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from bench.markup.strings import String, lost, strings
from bundle.manifest import Bundle
from bundle.text import Piece
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.errors import Meaningless
from service.markup.kept import kept
from service.markup.placeholders import Span
from service.messages import Done, Hypothesis
from service.tasks.contract import Bounds
from service.tasks.documents import by_text, joined
from service.tasks.translate import TranslateRequest, decode, encode

ZOO = Path(__file__).parents[2] / "zoo"
MANY = Bounds(texts=1000)


def results(bundle: Bundle, session: Session, **fields) -> list[Any]:
    """A `Result` for each text."""
    asked = TranslateRequest(**{"beam_size": 2, "max_length": 40, **fields})
    encoded = encode(asked, bundle, MANY)
    done = answers(session, [one.job for one in encoded])
    each = [
        decode(asked, bundle, one.kept, [cast("Done", one.hear([], end))])
        for one, end in zip(encoded, done, strict=True)
    ]
    return [joined(parts, told, asked.offsets) for parts, told in by_text([one.part for one in encoded], each)]


@pytest.fixture(scope="module", autouse=True)
def _threads() -> None:
    share_threads(2)


def survivors(path: Path, asked: list[String], precision: str = "int8") -> list[tuple[String, str]]:
    """What did not come through."""
    bundle = Bundle(path)
    given = {"text": [one.text for one in asked], "protect": [one.protect for one in asked]}
    found = results(bundle, Session(bundle, precision=precision), attention="none", **given)
    assert len(found) == len(asked)
    return [(one, result.text) for one, result in zip(asked, found, strict=True) if lost(one, result.text)]


def test_everything_survives_the_model_that_is_shipped() -> None:
    assert survivors(ZOO / "en-de-bahdanau", strings(150)) == []


@pytest.mark.parametrize("toy", ["toy-echo", "toy-recurrent", "toy-transformer", "toy-none", "toy-local"])
def test_everything_survives_models_that_say_anything_at_all(toys: Path, toy: str) -> None:
    short = [one for one in strings(150, seed=2) if len(one.text) < 40][:40]
    assert survivors(toys / toy, short, "fp32") == []


@pytest.fixture(scope="module")
def shipped() -> tuple[Bundle, Session]:
    bundle = Bundle(ZOO / "en-de-bahdanau")
    return bundle, Session(bundle, precision="int8")


def test_the_map_has_a_span_as_a_word_of_both_sides_and_offsets_of_both_texts(shipped) -> None:
    text = "A man gives <b>{0}</b> to the 🐕 %s."
    (one,) = results(*shipped, text=text, offsets="utf16", attention="soft", alternatives=2, trust="measured")
    sides = {"text": text, "answer": one.text}
    for side, items in {"text": one.attention.keys.items[:-1], "answer": one.attention.queries}.items():
        wide = sides[side].encode("utf-16-le")
        assert {"{0}", "%s"} <= {item.text for item in items}
        assert all(wide[2 * item.start : 2 * item.end].decode("utf-16-le") == item.text for item in items)
    wide = one.text.encode("utf-16-le")
    assert all(len(wide[2 * place.start : 2 * place.end]) for place in one.alternatives[:-1])
    assert len(one.attention.trust.flip_mask) == len(one.attention.queries)


def test_a_glossary_decides_what_a_word_is_called(shipped) -> None:
    (one,) = results(*shipped, text="A dog runs in the park.", glossary={"dog": "WAUWAU"})
    assert one.text == "Ein WAUWAU rennt im Park."


def test_tags_go_with_their_words_and_the_map_lies_in_the_html(shipped) -> None:
    text = (
        "<p>A <b>red</b> dog &amp; a cat <i>sit</i>.</p>\n<p>Two <em>men run. A</em> dog</p><script>var dog;</script>"
    )
    (one,) = results(*shipped, text=text, format="html", attention="soft")
    assert one.text.startswith("<p>Ein <b>roter</b> Hund")
    assert one.text.endswith("</p><script>var dog;</script>")
    assert [one.text.count(tag) for tag in ("<i>", "</i>", "<em>", "</em>", "<p>", "</p>")] == [1, 1, 1, 1, 2, 2]
    for map_ in one.attention:
        assert all(one.text[item.start : item.end] == item.text for item in map_.queries)
        assert all(text[item.start : item.end] == item.text for item in map_.keys.items[:-1])


@pytest.mark.parametrize("text", ["<br>", "<script>dog</script>", " <img src='a'> ", "%s", "<p>{0}</p>"])
def test_a_page_without_anything_to_translate_comes_back(shipped, text) -> None:
    assert results(*shipped, text=text, format="html")[0].text == text


def test_what_a_model_says_is_written_as_html(shipped) -> None:
    bundle, _ = shipped
    whole = kept(
        "a <b>dog</b>", [Span(2, 5, "<b>", "open"), Span(8, 12, "</b>", "close")], bundle.text.pieces, html=True
    )
    said, pieces = "1 < 2 & Hund", [Piece(9, "1 < 2 &", 0, 7, True), Piece(9, "Hund", 8, 12, True)]
    _, text, moved = whole.said(Hypothesis([9, 9], np.zeros(2), 0.0, "stop"), said, pieces, np.eye(3)[[0, 1]])
    assert text == "1 &lt; 2 &amp; <b>Hund</b>"
    assert [text[one.start : one.end] for one in moved] == ["1 &lt; 2 &amp;", "Hund"]


def test_without_placeholders_braces_are_text(shipped) -> None:
    (one,) = results(*shipped, text="A {dog} runs.", placeholders="none")
    assert "{dog}" not in one.text


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"protect": [[0, 1], [2, 99]]}, "/protect/1"),
        ({"protect": [[2, 1]]}, "/protect/0"),
        ({"text": "😀 dog", "protect": [[0, 1]], "offsets": "utf16"}, "/protect/0"),
        ({"text": ["a dog", "b"], "protect": [[[0, 1]], [[0, 2]]]}, "/protect/1/0"),
        ({"text": ["a dog", "b"], "protect": [[0, 1]]}, "/protect"),
        ({"protect": [[[0, 1]]]}, "/protect"),
        ({"glossary": {str(i): "x" for i in range(1001)}}, "/glossary"),
    ],
)
def test_what_cannot_be_protected_is_refused_with_its_place(shipped, fields, place) -> None:
    with pytest.raises(Meaningless) as refused:
        results(*shipped, **{"text": "a dog", **fields})
    assert refused.value.errors[0].pointer == place


UNREAD = {
    "I live in Łódź.": ["Łódź"],
    "It costs €20 (about £17), said José.": ["€20", "(", "£17", ")", "José"],
    "Call 0176-4455 or +49 (0)30 123456 today!": ["0176-4455", "+49 (0)30 123456"],
    "We had 🍕 and a café crème at 50 %.": ["🍕", "café", "crème", "50 %"],
    "Ωmega 🍕": ["Ωmega", "🍕"],
    "<b>Łódź</b> (here)": ["<b>", "Łódź", "</b>", "(", ")"],
}


@pytest.mark.parametrize("name", ["toy-echo", "toy-recurrent", "en-de-bahdanau"])
def test_what_a_model_cannot_read_is_in_the_answer_once(toys: Path, name: str) -> None:
    path = toys / name if name.startswith("toy") else ZOO / name
    bundle = Bundle(path)
    session = Session(bundle, precision="int8")
    for text, wanted in UNREAD.items():
        (found,) = results(bundle, session, text=text, attention="none")
        assert {one: found.text.count(one) for one in wanted} == dict.fromkeys(wanted, 1), found.text


def test_it_is_left_to_the_model_if_that_is_wanted() -> None:
    bundle = Bundle(ZOO / "en-de-bahdanau")
    (found,) = results(bundle, Session(bundle, precision="int8"), text="I live in Łódź.", unknown="none")
    assert "Łódź" not in found.text
