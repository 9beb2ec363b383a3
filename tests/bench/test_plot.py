"""The drawing shows every curve, in the right places."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest

from bench.plot import Axis, draw

SVG = "{http://www.w3.org/2000/svg}"


def test_an_axis_is_logarithmic_and_has_round_ticks() -> None:
    axis = Axis([1.0, 100.0], 0, 200)
    assert axis.at(10) == pytest.approx((axis.at(1) + axis.at(100)) / 2)
    assert axis.ticks() == pytest.approx([1, 2, 5, 10, 20, 50, 100])


def test_every_curve_is_drawn_and_what_is_infinite_left_out() -> None:
    curves = {"a < b": [(10.0, 100.0), (20.0, 400.0), (40.0, math.inf)], "c": [(10.0, 50.0)]}
    root = ET.fromstring(draw(curves, title="t & u", bound=500))  # noqa: S314  our own words
    spots = root.findall(f"{SVG}circle")
    assert len(spots) == 3
    words = [one.text for one in root.iter(f"{SVG}text")]
    assert {"a < b", "c", "t & u"} <= set(words)
    low, high = spots[0].attrib, spots[1].attrib
    assert float(low["cx"]) < float(high["cx"]) and float(low["cy"]) > float(high["cy"])  # more load, more time: up


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="no point"):
        draw({"a": [(1.0, math.inf)]}, title="t")
