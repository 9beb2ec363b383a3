"""How far to believe a map: numbers worked out by hand, and rows hatched that did not decide their words."""

from __future__ import annotations

import io
from math import log

import numpy as np
import pytest
from PIL import Image

from service.maps import html, npz, png, svg, text
from service.maps.envelope import Trust
from service.maps.trust import Trials, agreement, cheap
from service.maps.view import View, bounded
from tests.maps.examples import WHOLE, large, looking_at, translated, translation


def tried(first: bool, second: bool, view: View | None = None) -> View:
    """A view whose rows changed, or not, under each trial alike."""
    view = view or translated()
    assert view.map is not None
    trust = Trust(entropy=[0.5, 0.5], peak=[0.5, 0.5], flip_mask=[first, second], flip_uniform=[False, False])
    if len(view.map.queries) == 1:
        trust = trust.first(1, 9)
    return View(
        view.title, view.answer, view.score, view.source, view.map.model_copy(update={"trust": trust}), view.picture
    )


def test_what_a_map_says_of_itself() -> None:
    found = cheap(translation())
    rows = [[0.1, 0.6, 0.05, 0.15, 0.1], [0.0, 0.1, 0.7, 0.0, 0.2]]
    wanted = [-sum(w * log(w) for w in row if w) / log(5) for row in rows]
    assert found.entropy == pytest.approx(wanted, abs=1e-4)
    assert found.peak == pytest.approx([0.6, 0.7])
    assert found.special == pytest.approx([0.1, 0.2])
    assert found.coverage == pytest.approx([0.1, 0.7, 0.75, 0.15, 0.3])
    assert found.undecided() == []


def test_entropy_is_0_for_one_key_and_1_for_all_alike() -> None:
    one = looking_at(1, 2, (90, 60), WHOLE).map
    assert one is not None
    assert cheap(one).entropy == [0]
    even = one.model_copy(update={"weights": np.full((1, 24), 1 / 24, np.float32)})
    assert cheap(even).entropy == pytest.approx([1], abs=1e-4)
    assert cheap(even).special is None


def test_heads_agree_that_look_most_at_what_the_shown_row_looks_at_most() -> None:
    rows = np.zeros((1, 2, 2, 3), np.float32)
    rows[0, :, :, 0] = 1
    rows[0, 1, 1] = [0, 0.2, 0.8]
    assert agreement(rows, np.array([[0.6, 0.3, 0.1]])) == 0.75


FIRST = np.array([[7, 8, 7, 7], [9, 9, 9, 9], [5, 5, 6, 5], [3, 3, 3, 3]])  # plain, masked, uniform, other
LOGPROBS = np.array([[-1, -3, -1.5, -1], [-1, -1, -2, -1.5], [-1, -2, -4, -3], [0, 0, 0, 0]], np.float32)


def test_a_word_changes_if_one_of_its_pieces_does() -> None:
    found = Trials(FIRST, LOGPROBS).added(Trust(entropy=[], peak=[]), [[0, 1], [2]])
    assert (found.flip_mask, found.flip_uniform) == ([True, False], [False, True])
    assert (found.drop_mask, found.drop_uniform) == ([2.0, 1.0], [1.5, 3.0])
    assert found.undecided() == []


def test_rates_are_over_words_and_tau_over_steps() -> None:
    mask, uniform, tau = Trials(FIRST, LOGPROBS).rates([[0, 1], [2]])
    assert (mask, uniform) == (0.5, 0.5)
    assert tau == pytest.approx((1 - 1 - 1) / 3, abs=1e-4)  # the strongest mattered more once, and less twice


def test_a_row_that_neither_trial_changed_is_hatched_and_no_other() -> None:
    both, one = (svg.render([tried(*flips)]).decode().count("stroke=") for flips in ((False, False), (True, False)))
    assert both == 2 * one > 0
    assert "stroke=" not in svg.render([tried(True, True)]).decode()
    page = html.render([tried(True, False)]).decode()
    assert page.count('<tr class="undecided">') == 1
    assert page.index('<tr class="undecided">') > page.index(">Häuser<")
    lines = text.render([tried(True, False)]).decode().splitlines()
    assert ["╱╱" in line for line in lines[-3:]] == [False, True, True]
    assert lines[-1].startswith("╱╱ the map did not decide")


def test_a_hatched_panel_of_a_picture_shows_in_every_format() -> None:
    plain, hatched = looking_at(1, 2, (90, 60), WHOLE), tried(False, False, looking_at(1, 2, (90, 60), WHOLE))
    assert png.render([plain]) != png.render([hatched])
    assert "stroke=" in svg.render([hatched]).decode()
    assert 'class="undecided"' in html.render([hatched]).decode()
    assert "╱╱ dog" in text.render([hatched]).decode()


def test_a_map_that_is_cut_keeps_the_trust_of_what_is_left() -> None:
    map_ = large(203, 201).map
    assert map_ is not None
    cut = bounded(map_.model_copy(update={"trust": cheap(map_)}))[0]
    assert cut.trust is not None
    assert cut.trust.coverage is not None
    assert (len(cut.trust.entropy), len(cut.trust.coverage)) == cut.weights.shape == (200, 200)


def test_trust_is_among_the_arrays() -> None:
    arrays = np.load(io.BytesIO(npz.render([tried(True, False)])))
    assert arrays["flip_mask_0"].tolist() == [True, False]


def test_hatching_stays_inside_its_row() -> None:
    page = Image.open(io.BytesIO(png.render([tried(False, True)]))).convert("RGB")
    colour = (0xB4, 0x50, 0x1E)
    spots = np.argwhere((np.asarray(page) == colour).all(-1))
    (top, left), (bottom, right) = spots.min(0), spots.max(0)
    assert bottom - top < 2 * 32  # two pixels for one
    assert right - left > 2 * 32 * 4
