"""What `session` sees to before onnxruntime runs anything: no reports to its makers, and CUDA where packages put it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from bundle.manifest import BadBundle, Bundle
from service.engine.session import TOGETHER, Session
from tests.house.tree import ROOT


@pytest.mark.parametrize("module", ["service.engine.session", "export"])
def test_onnxruntime_is_told_to_report_nothing_before_it_is_loaded(module: str) -> None:
    script = f"""
import os, sys
def loaded(event, args):
    if event == "import" and args[0] == "onnxruntime":
        print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.addaudithook(loaded)
import {module}, onnxruntime
"""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split() and set(told.stdout.split()) == {"1"}


def test_on_a_gpu_the_libraries_that_came_as_packages_are_loaded_first(monkeypatch) -> None:
    done = []
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: done.append("libraries"))

    def session(*_: object, **__: object) -> None:
        done.append("session")
        raise RuntimeError("no GPU here")

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    with pytest.raises(BadBundle):
        Session(Bundle(ROOT / "zoo/en-de-bahdanau"), precision="int8", device="cuda:0")
    assert done == ["libraries", "session"]


def test_numbers_too_small_to_be_normal_are_zero_where_steps_are_made() -> None:
    script = """
import sys, threading
from pathlib import Path
import numpy as np
from bundle.manifest import Bundle
from service.engine.session import Session, share_threads
share_threads(1)
Session(Bundle(Path("zoo/en-de-small-dot")))
found = []
thread = threading.Thread(target=lambda: found.append(float((np.full(64, 1e-39, np.float32) * np.float32(0.5)).max())))
thread.start()
thread.join()
print(found[0])
"""
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(told.stdout) == 0


@pytest.mark.parametrize("name", ["toy-recurrent", "toy-transformer", "toy-request"])
def test_texts_are_encoded_with_others_of_their_length_and_come_back_in_their_order(toys: Path, name: str) -> None:
    session = Session(Bundle(toys / name), precision="fp32")
    random = np.random.default_rng(4)
    inputs = [
        {"source": random.integers(4, 60, length)} for length in random.permutation(np.arange(1, 2 * TOGETHER + 6))
    ]
    runs, run = [], session.encoder.run

    class Counted:
        def run(self, names: list[str], feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
            runs.append(feeds["lengths"])
            found: list[np.ndarray] = run(names, feeds)
            return found

    session.encoder = Counted()
    together = session.encode(inputs)
    assert [len(one) for one in runs] == [TOGETHER, TOGETHER, 5]
    assert max(one.max() - one.min() for one in runs) < TOGETHER
    assert together.lengths.tolist() == [len(one["source"]) for one in inputs]
    for place, one in enumerate(inputs):
        alone = session.encode([one])
        for key, values in alone.memory.items():
            axis, whole = (session.layout.axes or {}).get(key, 1) - 1, together.memory[key][place]
            kept = np.moveaxis(whole, axis, 0)[: len(one["source"])]
            np.testing.assert_allclose(kept, np.moveaxis(values[0], axis, 0), atol=1e-5)
        for state, other in zip(together.states, alone.states, strict=True):
            np.testing.assert_allclose(state[place], other[0], atol=1e-5)
