"""The heat map in block characters. Knows nothing of the other formats."""

from __future__ import annotations

import numpy as np

from service.maps import text
from service.maps.envelope import GridKeys, Picture
from service.maps.view import View
from service.maps.words import Answer, grid_map
from tests.maps.examples import ANSWER, WHOLE, cut, large, looking_at, nasty, translated, translation


def test_plain_text_starts_with_the_answer_and_shades_the_matrix():
    assert text.render([translated()]).decode().splitlines() == [
        "Häuser brennen",
        "← The houses burn.",
        "  en-de-test · score -0.42",
        "",
        "         The houses burn  .  </s>",
        " Häuser  ░░░ ▓▓▓▓▓▓ ░░░░ ░░░ ░░░░",
        "brennen   ·  ░░░░░░ ▓▓▓▓  ·  ▒▒▒▒",
    ]


def test_shades_change_at_their_steps_and_less_than_a_twentieth_is_a_dot():
    map_ = translation().model_copy(update={"weights": np.array([[0.04, 0.06, 0.21, 0.46, 0.71]] * 2)})
    lines = text.render([View("m", ANSWER, map=map_)]).decode().splitlines()
    assert lines[-1] == "brennen   ·  ░░░░░░ ▒▒▒▒ ▓▓▓ ████"


def test_a_long_source_stands_on_lines_of_its_own_and_stays_narrow():
    lines = text.render([large(2, 45)]).decode().splitlines()[4:]
    assert lines[0].endswith("┌ word0")
    assert lines[1].endswith("│ ┌ word1")
    assert max(map(len, lines)) <= text.LINE + 8


def test_a_small_picture_of_blocks_stands_for_each_word():
    lines = text.render([looking_at(1, 2, (90, 60), WHOLE)]).decode().splitlines()
    assert lines[:4] == ["dog", "  caption-test · score -0.10", "", "dog 100%"]
    assert lines[4:8] == ["· · · · · ·", "· · ██· · ·", "· · · · · ·", "· · · · · ·"]


def test_a_fine_grid_puts_two_rows_of_cells_into_a_line():
    grid = GridKeys(rows=3, cols=12, image=Picture(width=90, height=60), crop=WHOLE)
    rows = np.zeros((1, 36), np.float32)
    rows[0, [5, 17, 24]] = 0.4, 0.4, 0.2
    view = View("m", "dog", map=grid_map(Answer("dog", cut("dog", "_dog")), rows, grid))
    lines = text.render([view]).decode().splitlines()
    assert lines[3:6] == ["dog 40%", "·····█······", "▒···········"]


def test_plain_text_has_no_colours_and_a_terminal_may_have_them():
    assert b"\x1b" not in text.render([translated()])
    assert "\x1b[48;2;" in text.drawn([translated()], ansi=True)


def test_a_users_control_characters_do_not_reach_the_terminal():
    plain = text.render([nasty()]).decode()
    assert not set(plain) & set("\x1b\x00\u202e")


def test_wide_characters_keep_the_columns_straight():
    assert text.columns("走る é 👍") == 4 + 1 + 1 + 1 + 2
