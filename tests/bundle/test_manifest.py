"""A bundle is checked when it is made: what is wrong is told with its path and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundle.manifest import BadBundle, Bundle
from bundle.zoo import find
from tests.fakes import tiny_bundle


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_bundle(tmp_path, "tiny")


def change(folder: Path, **fields: object) -> None:
    """Other values in the manifest; None takes a field away."""
    path = folder / "manifest.json"
    told = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({name: value for name, value in told.items() if value is not None}))


def refused(folder: Path) -> BadBundle:
    with pytest.raises(BadBundle) as error:
        Bundle(folder)
    assert str(error.value) == f"{error.value.path}: {error.value.why}"
    return error.value


def test_a_whole_bundle_is_read(tiny) -> None:
    bundle = Bundle(tiny)
    assert bundle.manifest.name == "tiny"
    assert bundle.text.ids("house")


def test_a_missing_graph_is_named(tiny) -> None:
    (tiny / "step.onnx").unlink()
    error = refused(tiny)
    assert (error.path, error.why) == (tiny / "step.onnx", "is missing")


def test_a_wrong_digest_is_named(tiny) -> None:
    (tiny / "encode.onnx").write_bytes(b"another graph")
    error = refused(tiny)
    assert error.path == tiny / "encode.onnx"
    assert "digest" in error.why


def test_a_file_without_a_digest_is_named(tiny) -> None:
    digests = json.loads((tiny / "manifest.json").read_text())["digests"]
    change(tiny, digests={name: value for name, value in digests.items() if name != "step.onnx"})
    assert refused(tiny).path == tiny / "step.onnx"


def test_a_manifest_from_the_future_is_named_as_such_whatever_else_it_says(tiny) -> None:
    change(tiny, format=99, name=None, a_field_of_the_future=True)
    error = refused(tiny)
    assert error.path == tiny / "manifest.json"
    assert "99" in error.why
    assert "upgrade" in error.why


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '"words"'])
def test_a_manifest_that_is_no_object_is_refused(tiny, content) -> None:
    (tiny / "manifest.json").write_text(content)
    assert refused(tiny).path == tiny / "manifest.json"


def test_a_manifest_that_is_not_there_is_refused(tiny) -> None:
    (tiny / "manifest.json").unlink()
    assert refused(tiny).path == tiny / "manifest.json"


@pytest.mark.parametrize(
    ("fields", "named"), [({"task": "juggle"}, "task"), ({"limits": None}, "limits"), ({"surprise": 1}, "surprise")]
)
def test_a_wrong_field_is_named(tiny, fields, named) -> None:
    change(tiny, **fields)
    assert named in refused(tiny).why


def test_a_model_of_steps_needs_a_step_graph(tiny) -> None:
    graphs = json.loads((tiny / "manifest.json").read_text())["graphs"]
    change(tiny, graphs={"encode": graphs["encode"]})
    assert "step" in refused(tiny).why


def test_a_vocabulary_that_is_none_is_named_when_it_is_asked_for(tiny) -> None:
    from bundle.manifest import digest

    path = tiny / "vocabulary.model"
    path.write_bytes(b"no pieces here")
    digests = json.loads((tiny / "manifest.json").read_text())["digests"]
    change(tiny, digests=digests | {path.name: digest(path)})
    with pytest.raises(BadBundle) as error:
        Bundle(tiny).text  # noqa: B018 - loaded when asked for
    assert error.value.path == path


def test_a_precision_that_was_not_exported_falls_back_to_fp32(tiny) -> None:
    assert Bundle(tiny).graph("step", "int8") == tiny / "step.onnx"


def test_a_folder_of_bundles_is_found_by_name_and_one_broken_one_stops_it(tmp_path) -> None:
    for name in ("b", "a"):
        tiny_bundle(tmp_path, name)
    (tmp_path / "not-a-bundle").mkdir()
    assert [bundle.manifest.name for bundle in find(tmp_path)] == ["a", "b"]
    (tmp_path / "a" / "step.onnx").unlink()
    with pytest.raises(BadBundle, match="step"):
        find(tmp_path)
