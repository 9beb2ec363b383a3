"""When a beam search is over: not before a hypothesis that is behind has had its chance, and not long after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence as Many
from typing import Any

import numpy as np
import pytest

from bundle.text import BOS, EOS
from service.engine.layout import Layout
from service.engine.offline import answers
from service.engine.search import candidates_wanted
from service.engine.session import Encoded
from tests.engine.jobs import job

SHORT, LONG, MORE = 10, 11, 12
PIECES = 20
NEVER = -1e9


class Scripted:
    """A net that knows one rule: what the last piece was says what the next may be."""

    layout = Layout(positions=40)

    def __init__(self, rules: Mapping[int, Mapping[int, float]]) -> None:
        """rules: the last piece to the log-probability of each that may follow."""
        self.table = np.full((PIECES, PIECES), NEVER, np.float32)
        for last, nexts in rules.items():
            for piece, logprob in nexts.items():
                self.table[last, piece] = logprob
        self.steps = 0

    def encode(self, inputs: list[dict[str, np.ndarray]]) -> Encoded:
        return Encoded({}, [], np.array([len(one["source"]) for one in inputs]))

    def step(self, feeds: Mapping[str, np.ndarray], _: Many[str]) -> dict[str, Any]:
        self.steps += 1
        totals = feeds["scores"][:, :, None] + self.table[feeds["token"]]
        flat = totals.reshape(len(totals), -1)
        order = np.argsort(-flat, axis=1, kind="stable")[:, : candidates_wanted(feeds["token"].shape[1])]
        return {
            "scores_out": np.take_along_axis(flat, order, 1),
            "tokens_out": order % PIECES,
            "parents_out": order // PIECES,
            "forced_out": totals[:, :, 0],
        }


def found(rules: Mapping[int, Mapping[int, float]], margin: float = math.inf, **options: Any) -> tuple[list[int], int]:
    """What is said, and after how many steps."""
    net = Scripted(rules)
    (done,) = answers(net, [job([5], beam_size=2, **options)], repeats=0, margin=margin)
    return list(done.hypotheses[0].ids), net.steps


def rules(behind: float) -> dict[int, dict[int, float]]:
    """SHORT ends at once; LONG, which is `behind` at that moment, is sure of all that it has still to say."""
    return {
        BOS: {SHORT: -0.9, LONG: behind},
        SHORT: {EOS: -0.1},
        LONG: {MORE: -0.01},
        MORE: {EOS: -0.01},
    }


def test_one_that_is_behind_when_another_ends_may_still_win_by_its_length() -> None:
    """-1.00 / 2 against -1.12 / 3: at its present length, -1.11 / 2, it would have lost."""
    assert found(rules(-1.1)) == ([LONG, MORE, EOS], 3)


def test_who_wants_no_normalisation_gets_the_likeliest() -> None:
    assert found(rules(-1.1), length_penalty=0.0) == ([SHORT, EOS], 2)


@pytest.mark.parametrize("penalty", [0.5, 1.0, 1.4])
def test_one_too_far_behind_is_not_waited_for(penalty: float) -> None:
    """A fifth of its length is what an unfinished hypothesis may hope for; greater hopes cost steps."""
    hopeless = -1.0 * math.pow(1.2, penalty) - 0.001
    assert found(rules(hopeless + 0.01), length_penalty=penalty) == ([SHORT, EOS], 2)
    waited_for = found(rules(hopeless + 0.02), length_penalty=penalty)
    assert waited_for[1] == 3


LATE = {BOS: {SHORT: -0.1, LONG: -2.5}, SHORT: {EOS: -9.0}, LONG: {EOS: -0.1}}


def test_one_that_falls_behind_by_more_than_the_margin_is_given_up() -> None:
    """It would have won: what the margin saves is paid for with such cases."""
    assert found(LATE)[0] == found(LATE, margin=2.5)[0] == [LONG, EOS]
    assert found(LATE, margin=2.3)[0] == [SHORT, EOS]


def test_who_wants_several_answers_loses_none_to_the_margin() -> None:
    assert found(LATE, margin=2.3, n_best=2)[0] == [LONG, EOS]
