"""What peers are installed with: exact versions, and ours the very ones that we serve with."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from bench.peers import environments
from bench.peers.environments import REQUIREMENTS, Missing, names, python_of
from tests.house.tree import ROOMS, ROOT

SERVED = set((ROOT / "constraints/serve.txt").read_text().split())
DEV = set((ROOT / "constraints/dev.txt").read_text().split())


@pytest.mark.parametrize("name", names())
def test_requirements_are_exact_and_name_no_index(name: str) -> None:
    lines = (REQUIREMENTS / f"{name}.txt").read_text().split()
    assert lines == sorted(lines) and all(line.count("==") == 1 and not set("+@/:") & set(line) for line in lines)


@pytest.mark.parametrize("name", names())
def test_what_we_serve_with_is_what_peers_get(name: str) -> None:
    ours = {line.partition("==")[0] for line in SERVED | DEV}
    shared = {one for one in (REQUIREMENTS / f"{name}.txt").read_text().split() if one.partition("==")[0] in ours}
    assert shared and shared <= SERVED | DEV


def third_party(module: str) -> set[str]:
    """The packages that our own files name, of those that importing this module runs."""
    rooms = [(*ROOT.parts, room) for room in ROOMS]  # and not an environment that lies beside them
    code = f"import sys, {module}; print(*(m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)))"
    files = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    ours = [path for path in map(Path, files.stdout.split()) if path.parts[: len(ROOT.parts) + 1] in rooms]
    named = {
        name.partition(".")[0] for path in ours for node in ast.parse(path.read_text()).body for name in imported(node)
    }
    known = packages_distributions()
    return {known[name][0].lower() for name in named & set(known)}


def imported(node: ast.stmt) -> list[str]:
    """The modules of an import statement, if it is one."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_servers_have_what_our_code_in_them_imports() -> None:
    needed = third_party("bench.peers.inside.answering")
    needed -= {"heed", "pydantic_core"}  # pydantic brings its own
    assert {"pydantic", "onnxruntime"} <= needed
    for name in ("litserve", "mosec", "bentoml"):
        there = {line.partition("==")[0] for line in (REQUIREMENTS / f"{name}.txt").read_text().split()}
        assert needed <= there, name


def test_an_environment_is_made_once_and_again_when_its_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []

    def do(name: str, *command: str) -> None:
        calls.append(command)
        (tmp_path / name).mkdir(exist_ok=True)

    monkeypatch.setattr(environments, "_do", do)
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    (tmp_path / "peer.txt").write_text("peer==1\n")
    first = python_of("peer", tmp_path)
    assert python_of("peer", tmp_path) == first and len(calls) == 2
    (tmp_path / "peer.txt").write_text("peer==2\n")
    python_of("peer", tmp_path)
    assert len(calls) == 4


def test_what_cannot_be_installed_says_so(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"peer cannot be installed here: .*no-such-module"):
        environments._do("peer", sys.executable, "-m", "no-such-module")
    assert not (tmp_path / "peer").exists()
