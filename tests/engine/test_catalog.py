"""Bundles come and go while others are served, what they take is measured, and a failure changes nothing."""

from __future__ import annotations

import json
import queue
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bundle.manifest import BadBundle, Bundle
from service.engine import catalog as catalogs
from service.engine.catalog import Catalog
from service.engine.loop import Loop
from service.errors import UnknownModel
from service.messages import Done, Event
from tests.engine.jobs import job
from tests.fakes import tiny_bundle

ECHO = "toy-echo@0"


@pytest.fixture
def catalog(toys: Path) -> Iterator[Catalog]:
    one = Catalog(toys, names=["toy-echo"], threads=2, precision="fp32", rows=16, queue=100)
    one.start()
    one.warm()
    yield one
    one.drain(5)


def answered(catalog: Catalog, model: str) -> list[int]:
    ends = queue.SimpleQueue[Event]()
    catalog.submit(replace(job([10, 11, 12]), model=model), ends.put)
    end = ends.get(timeout=30)
    assert isinstance(end, Done), end
    return list(end.hypotheses[0].ids)


def version(toys: Path, folder: Path, number: str) -> Bundle:
    """The echo once more, under another version."""
    shutil.copytree(toys / "toy-echo", folder / number)
    path = folder / number / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": number}))
    return Bundle(folder / number)


def test_a_bundle_that_is_loaded_is_asked_for_by_its_id_and_one_unloaded_no_more(catalog, toys, tmp_path) -> None:
    with pytest.raises(UnknownModel):
        answered(catalog, "toy-echo@1")
    catalog.load(version(toys, tmp_path, "1"))
    assert list(catalog.bundles) == list(catalog.loops) == [ECHO, "toy-echo@1"]
    assert answered(catalog, "toy-echo@1") == answered(catalog, ECHO) == answered(catalog, "toy-echo")
    thread = catalog.loops["toy-echo@1"].thread
    catalog.unload("toy-echo@1")
    assert not thread.is_alive() and catalog.ready()
    with pytest.raises(UnknownModel):
        answered(catalog, "toy-echo@1")
    answered(catalog, ECHO)


def test_what_a_bundle_takes_is_at_least_its_graphs(catalog, toys, tmp_path) -> None:
    bundle = version(toys, tmp_path, "1")
    catalog.load(bundle)
    graphs = [bundle.path / f"{one}.fp32.onnx" for one in ("encode", "step")]
    assert catalog.costs["toy-echo@1"] >= sum(path.stat().st_size for path in graphs)
    assert catalog.costs[ECHO] >= bundle.least_bytes > 0
    catalog.unload("toy-echo@1")
    assert set(catalog.costs) == {ECHO}


def test_memory_that_a_bundle_takes_is_seen(catalog, toys, tmp_path, monkeypatch) -> None:
    readings = iter([1000, 1000 + 2**40])
    monkeypatch.setattr(catalogs, "resident", lambda: next(readings))
    catalog.load(version(toys, tmp_path, "1"))
    assert catalog.costs["toy-echo@1"] == 2**40


def test_to_load_what_is_loaded_changes_nothing(catalog, toys) -> None:
    loop = catalog.loops[ECHO]
    catalog.load(Bundle(toys / "toy-echo"))
    assert catalog.loops[ECHO] is loop


def test_a_bundle_that_cannot_be_loaded_leaves_everything_as_it_was(catalog, tmp_path) -> None:
    with pytest.raises(BadBundle, match="onnxruntime"):
        catalog.load(Bundle(tiny_bundle(tmp_path, "broken")))
    assert list(catalog.bundles) == list(catalog.loops) == list(catalog.costs) == [ECHO]
    answered(catalog, ECHO)


def test_a_bundle_that_does_not_answer_is_put_away_again(catalog, toys, tmp_path, monkeypatch) -> None:
    made: list[Loop] = []

    def refuse(loop: Loop, bundle: Bundle) -> None:
        made.append(loop)
        raise BadBundle(bundle.path, "does not answer")

    monkeypatch.setattr(catalogs, "warm", refuse)
    with pytest.raises(BadBundle):
        catalog.load(version(toys, tmp_path, "1"))
    assert list(catalog.loops) == [ECHO] and not made[0].thread.is_alive()


def test_whoever_leaves_after_the_model_did_is_no_trouble(catalog, toys, tmp_path) -> None:
    catalog.load(version(toys, tmp_path, "1"))
    ends = queue.SimpleQueue[Event]()
    ticket = catalog.submit(replace(job([10]), model="toy-echo@1"), ends.put)
    ends.get(timeout=30)
    catalog.unload("toy-echo@1")
    catalog.cancel(ticket)
    catalog.unload("toy-echo@1")
