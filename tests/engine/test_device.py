"""Where graphs run: what may be asked for, and that binding inputs and outputs changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import BadBundle, Bundle
from bundle.text import BOS
from service.engine.device import CPU, CUDA, Bound, Device
from service.engine.row_caches import RowCaches
from service.engine.session import Session
from tests.engine.jobs import best, job, sentence


def test_auto_takes_a_gpu_where_there_may_be_one() -> None:
    assert Device.of("auto", [CPU]) == Device("cpu")
    assert Device.of("auto", [CUDA, CPU]) == Device("cuda", 0)
    assert Device.of("cpu", [CUDA, CPU]) == Device("cpu")
    assert Device.of("cuda:3", [CUDA, CPU]).providers() == [(CUDA, {"device_id": 3}), CPU]


@pytest.mark.parametrize("asked", ["gpu", "cuda", "cuda:", "cuda:x", "cpu:0", ""])
def test_what_is_no_device_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="no device"):
        Device.of(asked, [CUDA, CPU])


def test_a_gpu_that_is_asked_for_and_not_there_stops_the_start_with_the_reason(toys: Path) -> None:
    with pytest.raises(BadBundle, match=r"cuda:0 was asked for.*serve-gpu"):
        Session(Bundle(toys / "toy-echo"), device="cuda:0")


@pytest.mark.parametrize("name", ["toy-recurrent", "toy-transformer", "toy-request"])
@pytest.mark.parametrize("beam", [1, 5])
def test_state_that_stays_on_the_device_gives_the_same_answers(toys: Path, name: str, beam: int) -> None:
    random = np.random.default_rng(8)
    lengths = [4 + 3 * (i % 5) for i in range(12)]  # so that guests sit down while others are in the middle
    jobs = [job(sentence(random, 3 + n % 7), str(i), beam_size=beam, max_length=n) for i, n in enumerate(lengths)]
    plain = Session(Bundle(toys / name), precision="fp32", bind=False)
    bound = Session(Bundle(toys / name), precision="fp32", bind=True)
    assert isinstance(bound.stepper, Bound) and not isinstance(plain.stepper, Bound)
    for one, other in zip(best(plain, *jobs, rows=4 * beam), best(bound, *jobs, rows=4 * beam), strict=True):
        assert list(one.ids) == list(other.ids)
        assert one.rows is not None and other.rows is not None
        np.testing.assert_allclose(one.rows, other.rows, atol=1e-6)


def test_a_cache_of_rows_is_written_where_it_is_read(toys: Path) -> None:
    session = Session(Bundle(toys / "toy-transformer"), precision="fp32")
    assert isinstance(session.stepper, Bound)
    shapes = session.layout.caches or {}
    caches, source = RowCaches(shapes, 2, 1), np.array(sentence(np.random.default_rng(8), 4))
    encoded = session.encode([{"source": source}, {"source": source}])
    feeds = {
        "token": np.full((2, 1), BOS),
        "rows": np.arange(2)[:, None],
        "scores": np.zeros((2, 1), np.float32),
        "forced": np.zeros((2, 1), np.int64),
        "candidates": np.array([1]),
        "mask": np.ones((2, len(source)), bool),
        "position": np.zeros((2, 1), np.int64),
        **encoded.memory,
        **caches.feeds(2),
    }
    out = session.step(feeds, [])
    for name, table in caches.tables.items():
        assert out[f"{name}_out"] is feeds[name] and np.shares_memory(feeds[name], table)
        assert table[:, :, 0].all() and not table[:, :, 1:].any()


def test_auto_precision_is_int8_on_cpus_and_falls_back_to_what_there_is(toys: Path, tmp_path: Path) -> None:
    shutil.copytree(toys / "toy-recurrent", tmp_path / "toy")
    bundle = Bundle(tmp_path / "toy")
    (tmp_path / "toy" / "step.int8.onnx").write_bytes(b"not a graph")
    with pytest.raises(BadBundle, match="int8"):
        Session(bundle)
    Session(bundle, precision="fp16")  # there is none: fp32 it is
