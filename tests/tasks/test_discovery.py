"""Tasks are found by their files, and a file that is none stops start-up with its path."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

import service.tasks
from service.tasks import caption, discover, scoring, translate


def test_every_file_of_the_folder_is_a_task() -> None:
    assert discover() == {"caption": caption.TASK, "score": scoring.TASK, "translate": translate.TASK}


def test_a_file_without_its_task_is_named(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "stray.py").write_text("")
    monkeypatch.setitem(sys.modules, "service.tasks.stray", types.ModuleType("stray"))
    with pytest.raises(ImportError, match=r"stray\.py"):
        discover(tmp_path)


def test_two_tasks_of_one_name_are_refused(tmp_path: Path, monkeypatch) -> None:
    twin = types.ModuleType("twin")
    twin.TASK = translate.TASK  # type: ignore[attr-defined]
    for name in ("translate", "twin"):
        (tmp_path / f"{name}.py").write_text("")
    monkeypatch.setitem(sys.modules, "service.tasks.twin", twin)
    with pytest.raises(ImportError, match=r"twin\.py"):
        discover(tmp_path)


def test_the_folder_is_where_the_module_is() -> None:
    assert (Path(service.tasks.__file__).parent / "translate.py").exists()
