"""A vocabulary cut down to what the target language uses: the same answers, in fewer columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from bundle.manifest import Bundle
from bundle.text import EOS
from export.build import build
from export.plan import SEARCH_OUTPUTS, Plan
from export.samples import Inputs
from export.search_graph import add_search
from export.shortlist import shortlisted
from export.toy import described
from service.engine.session import Session, open_graph
from tests.engine.jobs import best, job
from tests.export.third_said import SAID, VOCABULARY, plan_of


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of()


@pytest.fixture(scope="module")
def session(plan: Plan, toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("short")
    vocabulary = toys / "toy-recurrent" / "vocabulary.model"
    inputs: list[Inputs] = [{"source": np.array([*range(5, 5 + n), EOS])} for n in (3, 6)]
    build(folder, shortlisted(plan, SAID), vocabulary, described("toy-short"), inputs, precisions=("fp32", "int8"))
    return Session(Bundle(folder), precision="fp32")


def test_parity_holds_and_nothing_else_is_ever_said(session: Session) -> None:
    random = np.random.default_rng(1)
    jobs = [job(random.integers(4, 100, 5).tolist(), str(i), beam_size=5, max_length=12) for i in range(10)]
    assert session.manifest.made_with["fp32_tokens_differ"] == session.manifest.made_with["int8_tokens_differ"] == "0"
    assert {int(piece) for one in best(session, *jobs) for piece in one.ids} <= set(SAID.tolist())


def test_the_product_has_a_column_for_each_piece_of_the_list_and_fills_up_the_last_row_of_them(plan: Plan) -> None:
    def columns(core: onnx.ModelProto) -> set[int]:
        return {one.dims[-1] for one in core.graph.initializer if one.dims}

    assert VOCABULARY in columns(plan.core)
    assert {len(SAID), 64} & columns(shortlisted(plan, SAID).core) == {64}, "43 pieces, in whole rows of 32"
    assert VOCABULARY not in columns(shortlisted(plan, SAID).core)


def test_a_forced_piece_keeps_its_id_and_its_score(session: Session) -> None:
    free = best(session, job([7, 8, 9], beam_size=1, max_length=6))[0]
    forced = best(session, job([7, 8, 9], beam_size=1, max_length=6, prefix=tuple(free.ids)))[0]
    assert list(forced.ids) == list(free.ids)
    np.testing.assert_allclose(forced.logprobs, free.logprobs, atol=1e-5)
    other = best(session, job([7, 8, 9], beam_size=1, max_length=6, prefix=(int(SAID[9]),)))[0]
    assert other.ids[0] == SAID[9] and np.isfinite(other.logprobs).all()


@pytest.mark.parametrize("candidates", [1, 2, 10, 40])
def test_the_best_pieces_are_the_same_where_they_are_looked_for_by_block(
    plan: Plan, candidates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, short = np.random.default_rng(1), shortlisted(plan, SAID)
    feeds: dict[str, np.ndarray] = {
        "token": random.integers(4, VOCABULARY, (3, 2)),
        "rows": np.arange(6).reshape(3, 2),
        "scores": random.normal(size=(3, 2)).astype(np.float32),
        "forced": np.full((3, 2), int(SAID[9])),
        "candidates": np.array([candidates]),
        "mask": np.ones((3, 5), bool),
    }
    for one in short.step_inputs:
        if one.name not in feeds:
            shape = [axis if isinstance(axis, int) else {"B": 3, "S": 5, "R": 6}[axis] for axis in one.axes]
            feeds[one.name] = random.normal(size=shape).astype(np.float32)
    found = []
    for least in (10_000, 64):
        monkeypatch.setattr("export.search_graph.LEAST", least)
        graph = add_search(short.core, short)
        assert any("search_block_best" in node.output for node in graph.graph.node) == (least == 64)
        found.append(open_graph(graph.SerializeToString()).run([one.name for one in SEARCH_OUTPUTS], feeds))
    for plain, by_block in zip(*found, strict=True):
        np.testing.assert_allclose(plain, by_block, rtol=1e-6)


def test_logits_that_are_no_product_are_refused(plan: Plan) -> None:
    core = onnx.ModelProto.FromString(plan.core.SerializeToString())
    next(node for node in core.graph.node if "logits" in node.output).op_type = "Mul"
    with pytest.raises(ValueError, match="product"):
        shortlisted(replace(plan, core=core), SAID)
