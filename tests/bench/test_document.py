"""A long text and what was seen while it was translated: paragraphs, means, and a picture of it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.document import SEATED, Look, document, steady
from bench.line import lines


def test_a_text_has_whole_lines_ten_to_a_paragraph_and_no_more_words_than_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("one two three\n" * 100)
    text, words = document(file, 64)
    assert words == 66
    assert [len(one.split()) for one in text.split("\n\n")] == [30, 30, 6]


def test_the_mean_leaves_out_how_it_begins_and_ends() -> None:
    looks = [Look(second, 90.0 if 10 <= second <= 90 else 0.0, 0.0, 1.0) for second in range(101)]
    assert steady(looks) == 90
    assert steady(looks[:1]) == 0


def test_the_gauges_of_all_engines_are_found() -> None:
    told = 'heed_seated_sequences{device="cpu",model="m",pair="en-de"} 41.0\nheed_seated_sequences{device="b"} 1e1\n'
    assert sum(map(float, SEATED.findall(f"# HELP heed_seated_sequences x\n{told}"))) == 51


def test_a_picture_has_a_point_for_each_look_and_escapes_its_names() -> None:
    drawn = ET.fromstring(lines({"a<b": [(0.0, 1.0), (5.0, 3.0), (9.0, 2.0)]}, title="x & y"))  # noqa: S314
    (line,) = drawn.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(line.attrib["points"].split()) == 3
    with pytest.raises(ValueError, match="no point"):
        lines({"a": []}, title="")
