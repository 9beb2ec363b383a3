"""Files and functions stay small, modules say their job, and nothing of one machine is committed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files, python, relative

MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 60
# Put together here so that this file does not find itself.
INDEX_ADDRESSES = [b"--index-" + b"url", b"--extra-index-" + b"url", b"pypi.org/" + b"simple", b'"resolved"' + b":"]
MACHINE_PATHS = [b"/wo" + b"rk/", b"/opt/" + b"wheels", b"/opt/" + b"pypi"]
EVERY_FILE = list(files())
EVERY_MODULE = python()


@pytest.mark.parametrize("path", EVERY_MODULE, ids=relative)
def test_a_file_fits_on_a_few_screens(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= MOST_LINES, f"{relative(path)} has {lines} lines: which two jobs does it have?"


@pytest.mark.parametrize("path", EVERY_MODULE, ids=relative)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    everything = ast.walk(ast.parse(path.read_text("utf-8")))
    functions = [one for one in everything if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {one.name: (one.end_lineno or one.lineno) - one.lineno + 1 for one in functions}
    assert not {name: lines for name, lines in long.items() if lines > MOST_LINES_OF_A_FUNCTION}


@pytest.mark.parametrize("path", EVERY_MODULE, ids=relative)
def test_a_module_says_its_job_in_one_line(path: Path) -> None:
    text = path.read_text("utf-8")
    empty = relative(path).startswith("tests/") and not text.strip()  # an __init__.py that only makes a package
    assert empty or ast.get_docstring(ast.parse(text)), f"{relative(path)} has no docstring"


@pytest.mark.parametrize("needle", INDEX_ADDRESSES + MACHINE_PATHS)
def test_no_file_names_a_package_index_or_a_path_of_one_machine(needle: bytes) -> None:
    found = [relative(path) for path in EVERY_FILE if needle in path.read_bytes()]
    assert not found


def test_large_files_live_in_the_zoo_alone() -> None:
    large = [relative(path) for path in EVERY_FILE if path.stat().st_size > 2_000_000]
    assert all(name.startswith("zoo/") for name in large), "data sets and their pictures are never committed"


@pytest.mark.parametrize("name", ["serve", "dev"])
def test_constraints_are_exact_and_name_no_build(name: str) -> None:
    lines = (ROOT / f"constraints/{name}.txt").read_text("utf-8").split()
    assert all("==" in line and not set("+@/:") & set(line) for line in lines)


def test_serving_installs_no_torch_and_no_onnx() -> None:
    names = {line.partition("==")[0] for line in (ROOT / "constraints/serve.txt").read_text("utf-8").split()}
    assert "onnxruntime" in names
    assert not names & {"torch", "onnx", "onnxscript"}


def test_what_serves_is_pinned_alike_in_both_files() -> None:
    serve, dev = (set((ROOT / f"constraints/{name}.txt").read_text("utf-8").split()) for name in ("serve", "dev"))
    assert {line for line in serve if not line.startswith("onnxruntime-gpu")} <= dev


def test_every_pin_that_serves_was_looked_at_in_this_very_version() -> None:
    serve, reviewed = (
        (ROOT / f"constraints/{name}.txt").read_text("utf-8").splitlines() for name in ("serve", "reviewed")
    )
    looked_at = dict(line.split("  # ", 1) for line in reviewed if not line.startswith("#"))
    assert set(serve) == set(looked_at), "constraints/reviewed.txt: look at what is new, and say what is known of it"
    assert all(looked_at.values())
