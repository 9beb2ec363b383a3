"""What serves runs where torch is not installed, and every import contract can break.

Knows nothing of what the modules do.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, of_rooms, relative

SERVING = [path for path in of_rooms() if path.relative_to(ROOT).parts[0] in {"bundle", "service"}]
ALONE = [path for path in SERVING if "cluster" not in relative(path)]  # what runs where there is no cluster
WITHOUT = """
import importlib, sys
absent, *wanted = sys.argv[1:]
absent = absent.split()

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ImportError(f"{name} is not there where Heed serves")

sys.meta_path.insert(0, Absent())
for name in wanted:
    importlib.import_module(name)
"""

# One import that each contract must refuse: its first words, the file, the line.
VIOLATIONS = [
    ("the floors of the service", "service/messages.py", "import service.engine.session"),
    ("the floors of the service", "service/engine/loop.py", "import service.tasks"),
    ("the floors of the service", "service/stray.py", ""),
    ("the floors of the service", "service/markup/kept.py", "import service.tasks"),
    ("the floors of the service", "service/maps/words.py", "import service.markup.kept"),
    ("what serves never reaches torch", "service/maps/envelope.py", "import torch"),
    ("what serves never reaches torch", "service/engine/session.py", "import onnx"),
    ("what serves never reaches torch", "service/api/app.py", "import models.train"),
    ("what serves never reaches torch", "bundle/text.py", "import client"),
    ("bundle is the neck", "bundle/manifest.py", "import service.errors"),
    ("the client is installed alone", "client/exchange.py", "import service.errors"),
    ("the client is installed alone", "client/results.py", "import PIL"),
    ("models know nothing", "models/train.py", "import export"),
    ("models know nothing", "models/train.py", "import fastapi"),
    ("export reaches models", "export/parity.py", "import service.settings"),
    ("bench measures the engine", "bench/engine.py", "import service.link.local"),
    ("bench measures the engine", "bench/peers/offline.py", "import models.train"),
    ("what runs in other environments", "bench/peers/offline.py", "import bench.peers.inside.eager"),
    ("tasks never import each other", "service/tasks/caption.py", "import service.tasks.translate"),
    ("only session imports onnxruntime", "service/engine/loop.py", "import onnxruntime"),
    ("api reaches an engine through a Link", "service/api/app.py", "import service.engine.loop"),
    ("engine and link draw no maps", "service/link/local.py", "import service.maps.envelope"),
    ("a worker knows no requests", "service/worker.py", "import service.maps.envelope"),
    ("only entry points read Settings", "service/tasks/caption.py", "import service.settings"),
    ("what is counted in a worker is told in words", "service/engine/loop.py", "import prometheus_client"),
    ("what is counted in a worker is told in words", "service/link/far_end.py", "import service.telemetry.traces"),
    ("the floors of the service", "service/telemetry/meter.py", "import service.messages"),
    ("only entry points read Settings", "service/telemetry/logs.py", "import service.settings"),
    ("only api and the command line speak HTTP", "service/telemetry/traces.py", "import starlette"),
    ("only api and the command line speak HTTP", "service/link/local.py", "import fastapi"),
    ("only entry points read Settings", "service/keys/ring.py", "import service.settings"),
    ("only api and the command line speak HTTP", "service/keys/file.py", "import fastapi"),
    ("only api and the command line speak HTTP", "service/tasks/caption.py", "import httpcore"),
    ("only api and the command line speak HTTP", "service/worker.py", "import uvicorn"),
    ("only the cluster's own files import ray", "service/link/remote.py", "import ray"),
    ("only the cluster's own files import ray", "bench/cluster/machines.py", "import ray"),
    ("serve and its workers know nothing of clusters", "service/serve.py", "import service.link.ray"),
]


def module(path: Path) -> str:
    """The dotted name of a file of ours."""
    return relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize(
    ("paths", "absent"),
    [(SERVING, "torch onnx onnxscript models export bench client"), (ALONE, "ray torch")],
    ids=["torch", "ray"],
)
def test_everything_that_serves_imports_without_torch_and_without_a_cluster_without_ray(
    paths: list[Path], absent: str
) -> None:
    names = [module(path) for path in paths]
    run = subprocess.run([sys.executable, "-c", WITHOUT, absent, *names], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def hollow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of our modules with nothing in them but the imports that a contract expects by name."""
    root = tmp_path_factory.mktemp("hollow")
    (root / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for path in of_rooms():
        copy = root / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("")
    (root / "service/engine/session.py").write_text("import onnxruntime\n")
    names = "answer chain contract detection documents examples keeping mapped selves spoken ways whatif"
    shared = ", ".join(f"service.tasks.{name}" for name in names.split())
    (root / "service/tasks/caption.py").write_text(f"import {shared}\n")
    (root / "service/tasks/scoring.py").write_text("import service.tasks.translate\n")
    return root


def lint(root: Path) -> str:
    """What lint-imports says, on one line."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return " ".join(subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.split())


def test_the_contracts_hold_on_empty_modules(hollow: Path) -> None:
    assert " 0 broken" in lint(hollow)


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_contract_can_break(hollow: Path, contract: str, file: str, line: str) -> None:
    path = hollow / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}{line}\n")
    try:
        said = lint(hollow)
    finally:
        path.unlink() if before is None else path.write_text(before)
    broken = [part for part in said.partition("Broken contracts")[0].split("KEPT") if "BROKEN" in part]
    assert any(contract in part for part in broken), said
