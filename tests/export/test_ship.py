"""From a training run to a bundle that serves: its card says what the weights cost, and on which machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bundle.manifest import Bundle
from export.__main__ import main
from export.machine import machine
from export.ship import trained
from models.train import Run, begin
from service.engine.session import share_threads
from tests.models.test_train import data, recipe  # noqa: F401 - the fixture is used by its name

CARD = {
    "name": "toy", "version": "1", "architecture": "none", "description": "A toy.", "source": "en", "target": "de",
    "limits": {"source": 20, "target": 20}, "search": {"beam_size": 2, "length_penalty": 1.0},
    "trained_on": ["toy data"], "licence": "Apache-2.0",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_a_run_becomes_a_bundle(
    data: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("export.__main__.share_threads", lambda _: share_threads(2))  # as all tests, once a process
    (tmp_path / "first.json").write_text(json.dumps(recipe(steps=4)))
    begin(tmp_path / "first.json", data, tmp_path / "run" / "start")
    Run({**recipe(steps=2, judge_every=2), "first": "first", "card": CARD}, data, tmp_path / "run").fit()
    told = [str(tmp_path / "run"), str(tmp_path / "toy"), "--data", str(data), "--inputs", "4"]
    assert main(told) == 0
    manifest = Bundle(tmp_path / "toy").manifest
    assert (manifest.name, manifest.source) == ("toy", "en")
    assert manifest.made_with["trained"].startswith("4 updates in ")
    assert ", then 2 updates in " in manifest.made_with["trained"]


def test_what_weights_cost_is_told_from_the_first_run_on(tmp_path: Path) -> None:
    first, recovered = tmp_path / "start", tmp_path / "start" / "start"
    legs: tuple[tuple[Path, int, dict[str, Any]], ...] = (
        (tmp_path, 30, {"threads": 2, "precision": "bf16"}),
        (first, 20, {"precision": "fp32"}),
        (recovered, 0, {}),
    )
    for run, step, how in legs:
        run.mkdir(exist_ok=True)
        kept = {"recipe": {"train": how}, "net": {}, "figures": {"step": step, "minutes": 1.5}}
        torch.save(kept, run / "best.pt")
    assert trained(tmp_path) == "20 updates in 1.5 min (threads: 1), then 30 updates in 1.5 min (threads: 2, bf16)"
    mixed = {"recipe": {"train": {}, "mean": [{}, {}]}, "net": {}, "figures": {"step": 50, "minutes": 4.0}}
    torch.save(mixed, tmp_path / "best.pt")
    assert trained(tmp_path).endswith(", then 50 updates in 4 min (threads: 1, the mean of 2 runs)")


def test_a_machine_is_its_processor_and_its_cores(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU 9\nmodel name\t: Some CPU 9\n")
    assert ", Some CPU 9, " in machine(tmp_path / "cpuinfo")
    assert machine(tmp_path / "none").count(",") == 1
