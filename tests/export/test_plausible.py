"""What of a teacher's text is learned from: loops and half answers are not."""

from __future__ import annotations

import pytest

from export.plausible import invents, plausible
from models.data import Pair


@pytest.mark.parametrize(
    ("source", "target", "fit"),
    [
        ("A sign in the water.", "Ein Schild im Wasser.", True),
        ("No, no, no!", "Nein, nein, nein!", True),
        ("A sign that says text, text, and more.", "Ein Schild mit „Tex“-Tex“-Tex“-Tex“-Tex“.", False),
        ("A sign.", "Ein Schild, auf dem etwas steht, das niemand lesen kann.", False),
        ("A sign on a wall, which nobody has ever read.", "Ja.", False),
        ("A sign.", "", False),
    ],
)
def test_a_pair_is_plausible(source: str, target: str, *, fit: bool) -> None:
    assert plausible(Pair(source, target)) == plausible(Pair(target, source)) == fit


def test_a_quotation_is_the_sources_own() -> None:
    assert not invents(Pair('A sign that says "Free Hugs".', "Ein Schild mit der Aufschrift „Free Hugs“."))
    assert not invents(Pair("A sign.", "Ein Schild."))
    assert invents(Pair('A sign that says "Free Hugs".', "Ein Schild mit der Aufschrift „Tex“."))
