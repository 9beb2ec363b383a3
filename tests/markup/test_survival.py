"""Placeholders, protected spans and tags through real models: the shipped one, and toys that say anything at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.markup.strings import String, lost, strings
from bundle.manifest import Bundle
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.errors import Meaningless
from service.tasks.answer import Result
from service.tasks.contract import Bounds
from service.tasks.translate import TranslateRequest, decode, encode

ZOO = Path(__file__).parents[2] / "zoo"
MANY = Bounds(texts=1000)


def results(bundle: Bundle, session: Session, **fields) -> list[Result]:
    asked = TranslateRequest(**{"beam_size": 2, "max_length": 40, **fields})
    encoded = encode(asked, bundle, MANY)
    done = answers(session, [one.job for one in encoded])
    return [decode(asked, bundle, one.kept, [end]) for one, end in zip(encoded, done, strict=True)]


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
