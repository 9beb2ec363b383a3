"""The drawing as SVG, read back as XML. Knows nothing of the other formats."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from PIL import Image

from service.maps import svg
from service.maps.view import View
from tests.maps.examples import looking_at, nasty, translated

SVG = "{http://www.w3.org/2000/svg}"


def parsed(views: Sequence[View]) -> ET.Element:
    return ET.fromstring(svg.render(views))  # noqa: S314 (our own drawing)


def test_svg_is_xml_with_one_tooltip_a_cell():
    root = parsed([translated()])
    tips = [tip.text for tip in root.iterfind(f".//{SVG}rect/{SVG}title")]
    assert len(tips) == 2 * 5
    assert tips[1] == "Häuser ← houses: 0.600"
    assert tips[7] == "brennen ← burn: 0.700"


def test_svg_puts_source_words_across_and_answer_words_down():
    root = parsed([translated()])
    cells = [cell for cell in root.iterfind(f".//{SVG}rect") if cell.find(f"{SVG}title") is not None]
    x, y = [[float(cell.attrib[side]) for cell in cells] for side in "xy"]
    assert len(set(x)) == 5
    assert len(set(y)) == 2
    assert x[:5] == sorted(x[:5])
    assert y[0] < y[5]


def test_svg_carries_the_picture_once_and_a_veil_a_word():
    root = parsed([looking_at(1, 2, (900, 600), (0, 0, 900, 600))])
    carried = [image.attrib["href"].split(",")[0] for image in root.iter(f"{SVG}image")]
    assert carried == ["data:image/jpeg;base64", "data:image/png;base64"]
    assert len(list(root.iter(f"{SVG}use"))) == 2


def test_an_embedded_picture_is_at_most_512_pixels_long():
    root = parsed([looking_at(1, 2, (3000, 2000), (0, 0, 3000, 2000))])
    photo = next(root.iter(f"{SVG}image")).attrib["href"].split(",")[1]
    assert Image.open(io.BytesIO(base64.b64decode(photo))).size == (512, 341)


def test_svg_escapes_what_users_write():
    root = parsed([nasty()])
    assert not list(root.iter(f"{SVG}script"))
    assert any("<script>alert(1)</script>&\"'" in (words.text or "") for words in root.iter(f"{SVG}text"))
